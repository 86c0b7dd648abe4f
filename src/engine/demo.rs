//! The demo: a small real project that shows branches, a gate and a retry.

/// The gate that the demo approves by itself.
pub const DEMO_GATE: &str = "release-ok";

/// The plan of the demo.
pub fn demo_sequence() -> &'static str {
    r#"# A small release, made up of shell steps. Look around:
#   seqctl status · seqctl logs test-api · seqctl runs show · seqctl audit tail
version: "1.0"
name: demo-release
defaults:
  timeout: 1m

steps:
  - id: plan
    name: Plan the release
    command: echo "reading the changelog"; sleep 0.3; echo "3 services to build" > plan.txt

  # Three services, side by side.
  - id: build-api
    command: echo "compiling api"; sleep 0.8; echo api > api.bin
    depends_on: [plan]
    group_id: build
  - id: build-web
    command: echo "bundling web"; sleep 1.1; echo web > web.bin
    depends_on: [plan]
    group_id: build
  - id: build-cli
    command: echo "linking cli"; sleep 0.5; echo cli > cli.bin
    depends_on: [plan]
    group_id: build

  - id: lint
    command: for f in api web cli; do echo "lint $f"; sleep 0.1; done
    depends_on: [plan]

  - id: test-api
    name: Test the api (fails once, is retried)
    command: |
      echo "attempt $THREADOS_ATTEMPT"
      sleep 0.4
      if [ "$THREADOS_ATTEMPT" = 1 ]; then echo "connection refused" >&2; exit 1; fi
      echo "42 tests passed"
    depends_on: [build-api]
    retries: 2
    retry_delay: 300ms
  - id: test-web
    command: sleep 0.5; echo "17 tests passed"
    depends_on: [build-web]
  - id: test-cli
    command: sleep 0.3; echo "8 tests passed"
    depends_on: [build-cli]

  - id: package
    command: cat api.bin web.bin cli.bin > release.txt; sleep 0.3; wc -l release.txt
    depends_on: [lint, test-api, test-web, test-cli]

  # Behind the gate.
  - id: publish
    command: echo "publishing"; sleep 0.4; cp release.txt published.txt
    depends_on: [release-ok]
  - id: notify
    command: echo "release is out"
    depends_on: [publish]
  - id: clean-up
    command: rm -f api.bin web.bin cli.bin; ls
    depends_on: [publish]

gates:
  - id: release-ok
    name: Ship it?
    depends_on: [package]
"#
}
