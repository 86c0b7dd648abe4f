//! On which row each slot comes to lie: as straight as the order allows.

use super::slot::Slots;

/// A column's slots from top to bottom, and how far each must be from the one above it.
pub(super) struct Stack {
    pub(super) slots: Vec<usize>,
    /// By place; the first is 0.
    pub(super) apart: Vec<i32>,
    /// Whether it stays exactly that far from the one above it, as members of a group do.
    pub(super) is_tied: Vec<bool>,
}

/// The rows of all slots' lines, from 0.
pub(super) fn settle(stacks: &[Stack], slots: &Slots) -> Vec<i32> {
    let len = slots.columns.len();
    let mut rows = vec![0.0; len];
    for stack in stacks {
        let mut row = 0;
        for (&slot, apart) in stack.slots.iter().zip(&stack.apart) {
            row += apart;
            rows[slot] = f64::from(row);
        }
    }
    let pulls = Pulls::new(slots);
    let rounds = match len {
        0..4_000 => 8,
        4_000..60_000 => 3,
        _ => 1,
    };
    for _ in 0..rounds {
        stacks.iter().skip(1).for_each(|stack| relax(stack, &mut rows, |slot, rows| pulls.toward(slot, rows, true, false)));
        stacks.iter().rev().skip(1).for_each(|stack| relax(stack, &mut rows, |slot, rows| pulls.toward(slot, rows, false, true)));
    }
    for _ in 0..rounds {
        for stack in stacks.iter().chain(stacks.iter().rev()) {
            relax(stack, &mut rows, |slot, rows| pulls.toward(slot, rows, true, true));
        }
    }
    let mut whole = round(stacks, &rows);
    for is_left in [true, false, true] {
        straighten(stacks, &pulls, &mut whole, is_left);
    }
    whole
}

/// Rows in whole cells, none above 0.
#[expect(clippy::cast_possible_truncation, reason = "rows are far fewer than 2³¹")]
fn round(stacks: &[Stack], rows: &[f64]) -> Vec<i32> {
    let mut whole: Vec<i32> = rows.iter().map(|row| (row + 0.01).floor() as i32).collect();
    for stack in stacks {
        let mut lowest = i32::MIN / 2;
        for (&slot, apart) in stack.slots.iter().zip(&stack.apart) {
            whole[slot] = whole[slot].max(lowest + apart);
            lowest = whole[slot];
        }
    }
    whole
}

/// Moves each column's slots to where they are pulled, as near as their order and distances allow
/// (least squares, by pooling those that would overlap).
fn relax(stack: &Stack, rows: &mut [f64], toward: impl Fn(usize, &[f64]) -> (f64, f64)) {
    struct Pool {
        sum: f64,
        weight: f64,
        len: usize,
    }
    let mut pools: Vec<Pool> = Vec::with_capacity(stack.slots.len());
    let mut offset = 0.0;
    for (at, &slot) in stack.slots.iter().enumerate() {
        offset += f64::from(stack.apart[at]);
        let (row, weight) = toward(slot, rows);
        let mut pool = Pool { sum: (row - offset) * weight, weight, len: 1 };
        let mut is_tied = stack.is_tied[at];
        while let Some(above) = pools.pop_if(|above| is_tied || above.sum / above.weight >= pool.sum / pool.weight) {
            is_tied = false;
            pool = Pool { sum: above.sum + pool.sum, weight: above.weight + pool.weight, len: above.len + pool.len };
        }
        pools.push(pool);
    }
    let (mut at, mut offset) = (0, 0.0);
    for pool in pools {
        for _ in 0..pool.len {
            offset += f64::from(stack.apart[at]);
            rows[stack.slots[at]] = pool.sum / pool.weight + offset;
            at += 1;
        }
    }
}

/// Takes out bends of a few rows where there is room.
fn straighten(stacks: &[Stack], pulls: &Pulls, rows: &mut [i32], is_left: bool) {
    let mut one = |stack: &Stack| {
        for at in 0..stack.slots.len() {
            let slot = stack.slots[at];
            if stack.is_tied[at] || stack.is_tied.get(at + 1).is_some_and(|is_tied| *is_tied) {
                continue;
            }
            let Some(wanted) = pulls.straight(slot, rows, is_left) else { continue };
            let above = if at == 0 { i32::MIN } else { rows[stack.slots[at - 1]] + stack.apart[at] };
            let below = stack.slots.get(at + 1).map_or(i32::MAX, |&next| rows[next] - stack.apart[at + 1]);
            if (rows[slot] - wanted).abs() <= 2 && (above..=below).contains(&wanted) {
                rows[slot] = wanted;
            }
        }
    };
    if is_left {
        stacks.iter().for_each(&mut one);
    } else {
        stacks.iter().rev().for_each(&mut one);
    }
}

/// What is connected to each slot, and how much it matters that the connection is straight.
struct Pulls {
    left: Vec<Vec<(usize, f64)>>,
    right: Vec<Vec<(usize, f64)>>,
}

impl Pulls {
    fn new(slots: &Slots) -> Self {
        let len = slots.columns.len();
        let mut pulls = Self { left: vec![Vec::new(); len], right: vec![Vec::new(); len] };
        for link in &slots.links {
            let weight = match (slots.is_node(link.from), slots.is_node(link.to)) {
                (false, false) => 8.0,
                (true, true) => 1.0,
                _ => 2.0,
            };
            pulls.right[link.from].push((link.to, weight));
            pulls.left[link.to].push((link.from, weight));
        }
        pulls
    }

    fn toward(&self, slot: usize, rows: &[f64], is_left: bool, is_right: bool) -> (f64, f64) {
        let left = self.left[slot].iter().filter(|_| is_left);
        let both = left.chain(self.right[slot].iter().filter(|_| is_right));
        let (sum, weight) = both.fold((0.0, 0.0), |(sum, weight), &(other, pull)| (sum + rows[other] * pull, weight + pull));
        if weight == 0.0 { (rows[slot], 0.1) } else { (sum / weight, weight) }
    }

    /// The row of the only slot on one side.
    fn straight(&self, slot: usize, rows: &[i32], is_left: bool) -> Option<i32> {
        match (if is_left { &self.left } else { &self.right })[slot][..] {
            [(other, _)] => Some(rows[other]),
            _ => None,
        }
    }
}
