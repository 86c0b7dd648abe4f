//! The layout's rules for all plans, and the drawings themselves.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::{collection::vec, option, prelude::*};
use serde_json::json;
use threados::{
    layout::{Area, Canvas, Difference, Face, Glyphs, Ink, Layout, Outline, Plane, Point, TieKind, Zoom, bands},
    model::{Gate, Graph, Id, Orchestrator, Sequence, Step},
};

use crate::harness::{Test, snapshot, text};

const ZOOMS: [Zoom; 4] = [Zoom::Overview, Zoom::Compact, Zoom::Normal, Zoom::Detail];

/// What a node of a random plan is made of.
#[derive(Clone, Debug)]
struct Seed {
    is_gate: bool,
    needs: Vec<usize>,
    group: Option<u8>,
    lane: Option<u8>,
    watches: Option<usize>,
    orchestrator: Option<usize>,
    name: usize,
}

fn id(at: usize) -> Id {
    format!("n{at}").parse().unwrap()
}

fn seeds(most: usize) -> impl Strategy<Value = Vec<Seed>> {
    let loose = (option::weighted(0.1, any::<usize>()), option::weighted(0.1, any::<usize>()));
    let place = (option::weighted(0.4, 0..3_u8), option::weighted(0.3, 0..3_u8), 0..30_usize);
    let seed = (any::<bool>(), any::<bool>(), vec(any::<usize>(), 0..4), place, loose);
    let seed = seed.prop_map(|(rare, is_gate, needs, (group, lane, name), (watches, orchestrator))| Seed {
        is_gate: rare && is_gate,
        needs,
        group,
        lane,
        watches,
        orchestrator,
        name,
    });
    vec(seed, 1..most)
}

fn plan(seeds: &[Seed]) -> Sequence {
    let mut sequence = Sequence::default();
    let names: Vec<Id> =
        seeds.iter().enumerate().map(|(at, seed)| format!("n{at}{}", "x".repeat(seed.name)).parse().unwrap()).collect();
    for (at, seed) in seeds.iter().enumerate() {
        let needs: BTreeSet<usize> = seed.needs.iter().filter(|_| at > 0).map(|need| need % at.max(1)).collect();
        let needs = needs.into_iter().map(|need| names[need].clone()).collect();
        if seed.is_gate {
            let mut gate = Gate::new(names[at].clone());
            gate.depends_on = needs;
            sequence.gates.push(gate);
        } else {
            let mut step = Step::new(names[at].clone());
            step.depends_on = needs;
            step.group_id = seed.group.map(|group| format!("g{group}").parse().unwrap());
            step.lane = seed.lane.map(|lane| format!("lane {lane}"));
            step.watchdog_for = seed.watches.map(|other| names[other % names.len()].clone());
            step.orchestrator = seed.orchestrator.map(|other| Orchestrator::By(names[other % names.len()].clone()));
            sequence.steps.push(step);
        }
    }
    // A watchdog that cannot watch is no plan.
    for at in 0..sequence.steps.len() {
        if Graph::build(&sequence).is_ok() {
            break;
        }
        sequence.steps[at].watchdog_for = None;
    }
    sequence
}

fn layout(sequence: &Sequence) -> (Graph, Layout) {
    let graph = Graph::build(sequence).unwrap();
    let layout = Layout::of(sequence, &graph);
    (graph, layout)
}

fn whole(plane: &Plane) -> Area {
    Area { x: 0, y: 0, width: plane.width, height: plane.height }
}

fn face(node: usize) -> Face {
    Face { glyph: 'o', ink: Ink::Plain, title: format!("n{node}"), lines: vec!["a line".into()] }
}

/// The cells of a way with corners.
fn cells(path: &[Point]) -> Vec<Point> {
    let mut cells = vec![path[0]];
    for pair in path.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        assert!(from.x == to.x || from.y == to.y, "{pair:?} is askew");
        let (dx, dy) = ((to.x - from.x).signum(), (to.y - from.y).signum());
        let mut here = from;
        while here != to {
            here = Point { x: here.x + dx, y: here.y + dy };
            cells.push(here);
        }
    }
    cells
}

/// Which sides of its cell a character of a line touches: up, right, down, left.
fn sides(ch: char) -> [bool; 4] {
    let sides = match ch {
        '│' | '┆' => "ud",
        '─' | '┄' => "lr",
        '╰' => "ur",
        '╭' => "rd",
        '╮' => "dl",
        '╯' => "ul",
        '├' => "urd",
        '┬' => "rdl",
        '┤' => "udl",
        '┴' => "url",
        '┼' | '▶' | '▷' | '◀' => "urdl",
        _ => "",
    };
    ['u', 'r', 'd', 'l'].map(|side| sides.contains(side))
}

fn at(canvas: &Canvas, point: Point) -> char {
    let (x, y) = (usize::try_from(point.x - canvas.x).unwrap(), usize::try_from(point.y - canvas.y).unwrap());
    canvas.rows().nth(y).unwrap()[x].ch
}

/// Every cell of a way is drawn, and leads on to the next one. A line that passes under another one is not seen there.
fn check_drawn(canvas: &Canvas, way: &[Point]) {
    let is_bridge = |point: Point| matches!(at(canvas, point), '│' | '┆');
    let passes = |three: &[Point]| three[0].y == three[1].y && three[1].y == three[2].y && is_bridge(three[1]);
    let (first, last) = (way[0], way[way.len() - 1]);
    let ends = [Point { x: first.x - 1, ..first }, Point { x: last.x + 1, ..last }];
    let whole = [&ends[..1], way, &ends[1..]].concat();
    let under: HashSet<Point> = whole.windows(3).filter(|three| passes(three)).map(|three| three[1]).collect();
    for pair in way.windows(2).filter(|pair| !pair.iter().any(|point| under.contains(point))) {
        let (dx, dy) = (pair[1].x - pair[0].x, pair[1].y - pair[0].y);
        let [up, right, down, left] = [(0, -1), (1, 0), (0, 1), (-1, 0)].map(|step| step == (dx, dy));
        let ([u, r, d, l], [u2, r2, d2, l2]) = (sides(at(canvas, pair[0])), sides(at(canvas, pair[1])));
        let is_joined = (up && u && d2) || (right && r && l2) || (down && d && u2) || (left && l && r2);
        assert!(is_joined, "{:?} and {:?} do not join between {pair:?}", at(canvas, pair[0]), at(canvas, pair[1]));
    }
}

/// The nodes that a reader finds who follows the lines that leave a node, never back to the left.
fn read(canvas: &Canvas, plane: &Plane, areas: &[Area], from: usize) -> BTreeSet<usize> {
    let ports: HashMap<Point, usize> =
        areas.iter().enumerate().map(|(node, area)| (Point { x: area.x - 1, y: area.y + plane.zoom.port() }, node)).collect();
    let start = Point { x: areas[from].x + areas[from].width, y: areas[from].y + plane.zoom.port() };
    let (mut found, mut seen, mut left) = (BTreeSet::new(), HashSet::new(), vec![(start, (1, 0))]);
    while let Some((here, way)) = left.pop() {
        if !seen.insert((here, way)) {
            continue;
        }
        if let Some(node) = ports.get(&here) {
            found.insert(*node);
            continue;
        }
        let is_tip = at(canvas, here) == '◀';
        let [up, right, down, _] = sides(at(canvas, here)).map(|is_open| is_open && !is_tip);
        // A line that passes under another one goes on behind it.
        let passes_under = way == (1, 0) && (up || down) && matches!(at(canvas, here), '│' | '┆');
        let ways = if passes_under { [(true, (1, 0)); 3] } else { [(up, (0, -1)), (right || is_tip, (1, 0)), (down, (0, 1))] };
        let onward = ways.into_iter().filter(|&(is_open, (dx, dy))| is_open && (dx, dy) != (-way.0, -way.1));
        left.extend(onward.map(|(_, (dx, dy))| (Point { x: here.x + dx, y: here.y + dy }, (dx, dy))));
    }
    found
}

fn check(sequence: &Sequence, zoom: Zoom) {
    let (graph, layout) = layout(sequence);
    for node in 0..graph.len() {
        for need in graph.needs(node) {
            assert!(layout.ties().iter().any(|tie| (tie.from, tie.to) == (need, node)), "{need} → {node} is not drawn");
            assert!(layout.column(need) < layout.column(node));
        }
    }
    check_layout(&Outline::of(sequence, &graph), &layout, zoom);
}

fn check_layout(outline: &Outline, layout: &Layout, zoom: Zoom) {
    let nodes = layout.len();
    let plane = layout.plane(zoom);
    let areas: Vec<Area> = (0..nodes).map(|node| plane.node(layout, node)).collect();
    for (node, area) in areas.iter().enumerate() {
        assert_eq!(area.with(whole(&plane)), whole(&plane), "{node} is outside");
        for (other, place) in areas.iter().enumerate().skip(node + 1) {
            assert!(!area.meets(*place), "{node} and {other} overlap");
        }
        assert_eq!(plane.hit(Point { x: area.x + area.width - 1, y: area.y + area.height - 1 }), Some(node));
    }
    let known: HashSet<(usize, usize)> = layout.ties().iter().map(|tie| (tie.from, tie.to)).collect();
    let canvas = plane.paint(whole(&plane), Glyphs::Unicode, &face);
    let boxed = |point: Point| areas.iter().any(|area| area.meets(Area { x: point.x, y: point.y, width: 1, height: 1 }));
    let mut shared: HashMap<[i32; 4], Vec<(usize, usize)>> = HashMap::new();
    for (number, tie) in layout.ties().iter().enumerate() {
        let path = plane.path(layout, number);
        let (from, to) = (areas[tie.from], areas[tie.to]);
        assert_eq!(path.first(), Some(&Point { x: from.x + from.width, y: from.y + zoom.port() }), "{tie:?}");
        assert_eq!(path.last(), Some(&Point { x: to.x - 1, y: to.y + zoom.port() }), "{tie:?}");
        let way = cells(&path);
        assert!(!way.iter().any(|&point| boxed(point)), "{tie:?} crosses a box");
        check_drawn(&canvas, &way);
        for pair in way.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|point| (point.x, point.y));
            let (a, b) = (a.min(b), a.max(b));
            shared.entry([a.0, a.1, b.0, b.1]).or_default().push((tie.from, tie.to));
        }
    }
    // Without tips nobody sees where a node begins.
    for from in (0..nodes).filter(|from| zoom.has_tips() && known.iter().any(|(other, _)| other == from)) {
        let wanted: BTreeSet<usize> = known.iter().filter(|(other, _)| *other == from).map(|(_, to)| *to).collect();
        let text = canvas.rows().map(|row| row.iter().map(|cell| cell.ch).collect::<String>() + "\n").collect::<String>();
        assert_eq!(read(&canvas, &plane, &areas, from), wanted, "what a reader finds behind {from} at {zoom:?}:\n{text}");
    }
    for (piece, ties) in shared {
        for (from, _) in &ties {
            for (_, to) in &ties {
                assert!(known.contains(&(*from, *to)), "{piece:?} reads as if {from} led to {to}: {ties:?}");
            }
        }
    }
    check_frames(outline, &plane, &areas);
}

/// Every member of a group is in a frame with its name, and nobody else is in it.
fn check_frames(outline: &Outline, plane: &Plane, areas: &[Area]) {
    for (node, area) in areas.iter().enumerate() {
        let group = outline.nodes[node].group.as_deref();
        let around: Vec<&str> =
            plane.frames.iter().filter(|frame| frame.area.meets(*area)).map(|frame| frame.name.as_str()).collect();
        let wanted: Vec<&str> = group.into_iter().filter(|_| plane.zoom.has_tips()).collect();
        assert_eq!(around, wanted, "{node}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_edge_is_drawn_and_nothing_is_in_its_way(seeds in seeds(26)) {
        let sequence = plan(&seeds);
        for zoom in ZOOMS {
            check(&sequence, zoom);
        }
    }

    #[test]
    fn folded_groups_are_drawn_by_the_same_rules(seeds in seeds(26), folds in vec(0..3_u8, 0..4)) {
        let sequence = plan(&seeds);
        let whole = Outline::of(&sequence, &Graph::build(&sequence).unwrap());
        let widths = folds.into_iter().map(|group| (format!("g{group}"), 12)).collect();
        let folded = whole.fold(&widths);
        for (at, node) in whole.nodes.iter().enumerate() {
            let group = node.group.as_ref().filter(|group| widths.contains_key(*group) && !folded.refused.contains_key(*group));
            prop_assert_eq!(folded.groups.get(&folded.places[at]), group);
        }
        let ties: HashSet<(usize, usize)> = folded.outline.ties.iter().map(|tie| (tie.from, tie.to)).collect();
        for tie in whole.ties.iter().map(|tie| (folded.places[tie.from], folded.places[tie.to])).filter(|(from, to)| from != to) {
            prop_assert!(ties.contains(&tie), "{:?} is lost", tie);
        }
        // What was refused has something between its members.
        for (group, between) in &folded.refused {
            prop_assert_ne!(whole.nodes[*between].group.as_ref(), Some(group));
        }
        let layout = Layout::draw(&folded.outline);
        for tie in folded.outline.ties.iter().filter(|tie| tie.kind != TieKind::Watch && tie.kind != TieKind::Worker) {
            prop_assert!(layout.column(tie.from) < layout.column(tie.to), "folding makes no circle");
        }
        for zoom in ZOOMS {
            check_layout(&folded.outline, &layout, zoom);
        }
    }

    #[test]
    fn a_plan_and_what_becomes_of_it_are_drawn_by_the_same_rules(seeds in seeds(20), others in seeds(20)) {
        let (before, after) = (plan(&seeds), plan(&others));
        let graphs = [&before, &after].map(|sequence| Graph::build(sequence).unwrap());
        let difference = Difference::of((&before, &graphs[0]), (&after, &graphs[1]));
        for id in before.ids().chain(after.ids()) {
            let is_there = graphs.iter().any(|graph| graph.find(id.as_str()).is_some());
            prop_assert!(is_there);
        }
        let layout = Layout::draw(&difference.outline);
        for zoom in ZOOMS {
            check_layout(&difference.outline, &layout, zoom);
        }
    }

    #[test]
    fn a_window_shows_what_is_there(seeds in seeds(16), x in 0..60, y in 0..20, width in 1..50, height in 1..20) {
        let (_, layout) = layout(&plan(&seeds));
        for zoom in ZOOMS {
            let plane = layout.plane(zoom);
            let all = plane.paint(whole(&plane), Glyphs::Unicode, &face);
            let part = plane.paint(Area { x, y, width, height }, Glyphs::Unicode, &face);
            for (row, cells) in (y..plane.height).zip(part.rows()) {
                for (column, cell) in (x..plane.width).zip(cells) {
                    prop_assert_eq!(cell.ch, at(&all, Point { x: column, y: row }), "{:?} at {} {}", zoom, column, row);
                }
            }
        }
    }

    #[test]
    fn bands_have_every_node_once_and_fit(seeds in seeds(26), width in 60..200_usize) {
        let (graph, layout) = layout(&plan(&seeds));
        for zoom in ZOOMS {
            let plane = layout.plane(zoom);
            let bands = bands(&layout, &plane, width);
            for node in 0..graph.len() {
                let area = plane.node(&layout, node);
                let around = bands.iter().filter(|band| area.with(band.window) == band.window).count();
                prop_assert_eq!(around, 1, "{:?} {}", zoom, node);
            }
            for (band, next) in bands.iter().zip(bands.iter().skip(1)) {
                prop_assert_eq!(&band.exits, &next.entries);
                prop_assert!(usize::try_from(band.window.width).unwrap() <= width);
            }
        }
    }

    #[test]
    fn a_new_leaf_of_a_tree_moves_nobody_past_another(parents in vec(option::of(any::<usize>()), 1..20), parent in any::<usize>()) {
        let mut before = Sequence::default();
        for (at, parent) in parents.iter().enumerate() {
            let mut step = Step::new(id(at));
            step.depends_on = parent.filter(|_| at > 0).map(|parent| id(parent % at)).into_iter().collect();
            before.steps.push(step);
        }
        let mut after = before.clone();
        let mut leaf = Step::new(id(99));
        leaf.depends_on = vec![id(parent % parents.len())];
        after.steps.push(leaf);
        let columns = |layout: &Layout| -> Vec<Vec<usize>> {
            (0..layout.width()).map(|column| layout.nodes_in(column).filter(|node| *node < parents.len()).collect()).collect()
        };
        let (mut old, mut new) = (columns(&layout(&before).1), columns(&layout(&after).1));
        old.retain(|column| !column.is_empty());
        new.retain(|column| !column.is_empty());
        prop_assert_eq!(old, new);
    }
}

#[test]
fn lines_that_meet_never_lead_astray() {
    let mut drawings = String::new();
    for (needs, what) in [
        (&[("b", "a"), ("l", "a"), ("t", "b"), ("d", "b"), ("d", "l"), ("d", "t")][..], "a long edge joins another"),
        (&[("c", "a"), ("d", "a"), ("d", "b")], "three of four"),
        (&[("c", "a"), ("d", "a"), ("d", "b"), ("e", "b")], "a ladder"),
    ] {
        let mut sequence = Sequence::default();
        for name in ["a", "b", "l", "c", "t", "d", "e"] {
            let mut step = Step::new(name.parse().unwrap());
            step.depends_on = needs.iter().filter(|(to, _)| *to == name).map(|(_, from)| from.parse().unwrap()).collect();
            if needs.iter().any(|(to, from)| *to == name || *from == name) {
                sequence.steps.push(step);
            }
        }
        for zoom in ZOOMS {
            check(&sequence, zoom);
        }
        let layout = layout(&sequence).1;
        let plane = layout.plane(Zoom::Compact);
        let named = |node: usize| Face { title: sequence.steps[node].id.to_string(), ..face(node) };
        let canvas = plane.paint(whole(&plane), Glyphs::Unicode, &named);
        drawings += &format!("{what}\n");
        canvas.rows().for_each(|row| drawings += &format!("{}\n", row.iter().map(|cell| cell.ch).collect::<String>().trim_end()));
    }
    snapshot!("graph_meeting", drawings);
}

#[test]
fn a_huge_plan_is_laid_out_without_drawing_what_nobody_could_follow() {
    let mut sequence = Sequence::default();
    for at in 0..3_000 {
        let mut step = Step::new(id(at));
        step.depends_on = [at.checked_sub(1), (at > 1).then_some(at / 2)].into_iter().flatten().map(id).collect();
        step.depends_on.dedup();
        sequence.steps.push(step);
    }
    let (graph, layout) = layout(&sequence);
    assert_eq!(layout.width(), 3_000);
    let plane = layout.plane(Zoom::Normal);
    let ties = layout.ties();
    let hidden = (0..ties.len()).filter(|&tie| plane.path(&layout, tie).is_empty());
    let hidden: Vec<usize> = hidden.collect();
    assert_eq!(hidden.len(), layout.hidden());
    assert!(!hidden.is_empty());
    // Only long edges are left out.
    assert!(hidden.iter().all(|&tie| ties[tie].to - ties[tie].from > 100), "{graph:?}");
}

const CHAIN: &str = "\
version: \"1.0\"
name: chain
steps:
  - {id: fetch, command: make fetch, status: DONE}
  - {id: build, command: make build, depends_on: [fetch], status: FAILED}
  - {id: test, command: make test, depends_on: [build]}
  - {id: deploy, command: make deploy, depends_on: [test]}
";

const DIAMOND: &str = "\
version: \"1.0\"
name: diamond
steps:
  - {id: plan, command: make plan, status: DONE}
  - {id: api, command: make api, depends_on: [plan], status: DONE}
  - {id: web, command: make web, depends_on: [plan]}
  - {id: merge, command: make merge, depends_on: [api, web]}
";

const FAN: &str = "\
version: \"1.0\"
name: payments
steps:
  - {id: plan, command: make plan, status: DONE}
  - {id: implement-a, model: claude-code, prompt: a, depends_on: [plan], group_id: api, status: NEEDS_REVIEW}
  - {id: implement-b, model: codex, prompt: b, depends_on: [plan], group_id: api}
  - {id: docs, command: make docs, depends_on: [plan], fanout: 3}
  - {id: deploy, name: 'Deploy 🚀 \"now\" [prod]', command: make deploy, depends_on: [review, docs]}
gates:
  - {id: review, name: 'Looks good?', depends_on: [implement-a, implement-b]}
";

const FUSION: &str = "\
version: \"1.0\"
name: fusion
steps:
  - {id: brief, command: make brief, status: DONE}
  - {id: draft-claude, model: claude-code, prompt: x, depends_on: [brief], fusion_candidates: true}
  - {id: draft-codex, model: codex, prompt: x, depends_on: [brief], fusion_candidates: true}
  - {id: draft-gemini, model: gemini, prompt: x, depends_on: [brief], fusion_candidates: true}
  - {id: synthesis, model: claude-code, prompt: x, fusion_candidates: [draft-claude, draft-codex, draft-gemini]}
  - {id: publish, command: make publish, depends_on: [synthesis]}
";

const ORCHESTRATOR: &str = "\
version: \"1.0\"
name: orchestrator
steps:
  - {id: lead, model: claude-code, prompt: x, orchestrator: true}
  - {id: worker-1, command: make one, orchestrator: lead, status: DONE}
  - {id: worker-2, command: make two, orchestrator: lead}
  - {id: report, command: make report, depends_on: [lead]}
";

const WATCHDOG: &str = "\
version: \"1.0\"
name: watchdog
steps:
  - {id: setup, command: make setup, status: DONE}
  - {id: long-haul, model: claude-code, prompt: x, depends_on: [setup]}
  - {id: guard, command: make guard, watchdog_for: long-haul}
  - {id: report, command: make report, depends_on: [long-haul]}
";

/// A plan the size of a release: forty steps, three groups, two gates.
fn forty() -> String {
    let steps = "\
scan; plan scan; schema plan; migrate plan; models scan; api:build models migrate; auth:build models; billing:build models;
webhooks api; ui schema; forms ui; cart ui; search ui; mail billing; jobs webhooks; cache webhooks; metrics webhooks;
logs metrics; alerts metrics; docs api; lint api auth billing; unit:tests lint; integration:tests lint jobs;
e2e:tests lint cart forms; load integration; fuzz integration; security lint; licences scan; package go; image package;
sign:supply image; sbom:supply image; stage sign sbom; smoke stage; canary smoke; rollout ship; verify rollout;
announce rollout docs; cleanup verify; archive cleanup announce";
    let mut plan = String::from("version: \"1.0\"\nname: forty\nsteps:\n");
    for (at, step) in steps.split(';').map(str::trim).enumerate() {
        let (name, needs) = step.split_once(' ').unwrap_or((step, ""));
        let (name, group) = name.split_once(':').unwrap_or((name, ""));
        let needs = needs.split(' ').collect::<Vec<_>>().join(", ");
        let group = if group.is_empty() { String::new() } else { format!(", group_id: {group}") };
        let status = if at < 12 { ", status: DONE" } else { "" };
        plan += &format!("  - {{id: {name}, command: make {name}, depends_on: [{needs}]{group}{status}}}\n");
    }
    plan + "gates:\n  - {id: go, depends_on: [unit, integration, e2e, load, fuzz, security, licences]}\n  - {id: ship, depends_on: [canary]}\n"
}

#[test]
fn drawings() {
    let forty = forty();
    for (name, plan) in [
        ("chain", CHAIN),
        ("diamond", DIAMOND),
        ("fan", FAN),
        ("fusion", FUSION),
        ("orchestrator", ORCHESTRATOR),
        ("watchdog", WATCHDOG),
        ("forty", &forty),
    ] {
        let test = Test::new().sequence(plan);
        for width in [80, 140] {
            let out = test.run_env("COLUMNS", &width.to_string(), &["graph"]).success();
            assert!(out.stdout.lines().all(|line| threados::layout::width(line) <= width), "{}", out.stdout);
            snapshot!(format!("graph_{name}_{width}"), out.stdout);
        }
    }
}

#[test]
fn zooms_and_ascii() {
    let test = Test::new().sequence(FAN);
    for zoom in ["overview", "compact", "normal", "detail"] {
        let out = test.run_env("COLUMNS", "140", &["graph", "--zoom", zoom]).success();
        snapshot!(format!("graph_zoom_{zoom}"), out.stdout);
    }
    let out = test.run(&["graph", "--ascii"]).success();
    assert!(out.stdout.is_ascii(), "{}", out.stdout);
    snapshot!("graph_ascii", out.stdout);
    snapshot!("graph_focus", test.run(&["graph", "--focus", "implement-b"]).success().stdout);
    assert_eq!(test.run(&["graph"]).success().stdout, test.run(&["graph", "--zoom", "normal"]).success().stdout);
}

#[test]
fn other_tools_get_nothing_to_stumble_over() {
    let test = Test::new().sequence(FAN);
    snapshot!("graph_mermaid", test.run(&["graph", "--format", "mermaid"]).success().stdout);
    snapshot!("graph_dot", test.run(&["graph", "--format", "dot"]).success().stdout);
    let json = test.run(&["graph", "--format", "json"]).success();
    assert_eq!(json.stdout, test.run(&["graph", "--json"]).success().stdout);
    let json = json.json();
    assert_eq!(json["success"], true);
    assert!(text(&json["revision"]).starts_with("sha256:"));
    let deploy = json["nodes"].as_array().unwrap().iter().find(|node| node["id"] == "deploy").unwrap();
    assert_eq!(deploy["needs"], json!(["docs", "review"]));
    assert_eq!((&deploy["layer"], &deploy["row"], &deploy["kind"]), (&json!(3), &json!(0), &json!("step")));
    let review = json["nodes"].as_array().unwrap().iter().find(|node| node["id"] == "review").unwrap();
    assert_eq!((&review["kind"], &review["status"], &review["unlocks"]), (&json!("gate"), &json!("PENDING"), &json!(["deploy"])));
    assert!(json["edges"].as_array().unwrap().contains(&json!({"from": "review", "to": "deploy", "kind": "need"})));
    // With `--json` there is one document whatever else is asked for.
    let mermaid = test.run(&["graph", "--json", "--format", "mermaid"]).success().json();
    assert!(text(&mermaid["text"]).starts_with("flowchart LR\n"));
}

#[test]
fn kinds_of_edges() {
    let edges = |plan: &str| -> Vec<String> {
        let json = Test::new().sequence(plan).run(&["graph", "--json"]).success().json();
        let words = |edge: &serde_json::Value| ["from", "kind", "to"].map(|key| text(&edge[key])).join(" ");
        json["edges"].as_array().unwrap().iter().map(words).collect()
    };
    assert!(edges(FUSION).contains(&"draft-codex candidate synthesis".into()));
    assert!(edges(ORCHESTRATOR).contains(&"lead worker worker-1".into()));
    assert!(edges(WATCHDOG).contains(&"guard watch long-haul".into()));
    // An orchestrator that comes after what it added is drawn to the right of it, pointing back.
    let after = ORCHESTRATOR.replace("orchestrator: true}", "orchestrator: true, depends_on: [between]}")
        + "  - {id: between, command: x, depends_on: [worker-1]}\n";
    assert!(edges(&after).contains(&"lead worker worker-1".into()));
    let out = Test::new().sequence(&after).run(&["graph", "--zoom", "compact"]).success();
    assert!(out.stdout.contains("worker-1 ◀"), "{}", out.stdout);
}

#[test]
fn an_empty_plan_says_how_to_add_a_step() {
    let test = Test::new();
    test.run(&["init", "--empty"]).success();
    test.run(&["graph"]).success().prints("seqctl step add");
    assert_eq!(test.run(&["graph", "--json"]).success().json()["nodes"], json!([]));
    test.run(&["graph", "--focus", "nope"]).fails(3).says("`nope`");
    test.run(&["graph", "--format", "mermaid"]).success().prints("flowchart LR");
}

#[test]
fn a_name_cannot_reach_the_terminal() {
    let plan = CHAIN.replace("command: make test", "name: \"a\\x1b[2Jb\\u200bc\\r\\td\", command: make test");
    let out = Test::new().sequence(&plan).run(&["graph", "--zoom", "detail", "--color", "never"]).success();
    assert!(!out.stdout.contains(|c: char| c.is_control() && c != '\n') && !out.stdout.contains('\u{200b}'), "{:?}", out.stdout);
    assert!(out.stdout.contains("a[2Jbc  d"), "{}", out.stdout);
}
