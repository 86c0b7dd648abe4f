//! The dashed frames around groups.

use std::collections::BTreeMap;

use super::plane::Area;

/// The frame of a group, or of its part in one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Where it is, its border included.
    pub area: Area,
    /// The name of the group.
    pub name: String,
}

/// What a group has in one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) group: usize,
    pub(super) column: usize,
    pub(super) area: Area,
}

/// One frame for each group where nothing else would be in it, else one for each of its parts.
/// `boxes` are the nodes of each column from top to bottom, with their groups; `is_free` says
/// whether no edge runs along a row in the gap after a column.
pub(super) fn frames(
    parts: &[Part],
    boxes: &[Vec<(Area, Option<usize>)>],
    names: &[String],
    is_free: &dyn Fn(usize, i32) -> bool,
) -> Vec<Frame> {
    let mut groups: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
    for part in parts {
        groups.entry(part.group).or_default().push(*part);
    }
    let wholes: BTreeMap<usize, Area> = groups
        .iter()
        .map(|(&group, parts)| (group, parts.iter().fold(parts[0].area, |area, part| area.with(part.area))))
        .collect();
    // A whole is good if it meets no other group's whole; checked from left to right.
    let mut by_left: Vec<(usize, Area)> = wholes.iter().map(|(group, area)| (*group, *area)).collect();
    by_left.sort_by_key(|(_, area)| (area.x, area.y));
    let meets = |group: usize, area: Area| by_left.iter().any(|(other, whole)| *other != group && whole.meets(area));
    let mut frames = Vec::new();
    for (group, parts) in groups {
        let whole = wholes[&group];
        let columns = parts.iter().map(|part| part.column);
        let (first, last) = (columns.clone().min().unwrap_or(0), columns.max().unwrap_or(0));
        let is_alone = first < last
            && parts.len() == last - first + 1
            && boxes[first..=last].iter().all(|column| {
                let from = column.partition_point(|(area, _)| area.y + area.height <= whole.y);
                column[from..].iter().take_while(|(area, _)| area.y < whole.y + whole.height).all(|(_, of)| *of == Some(group))
            })
            && (first..last).all(|gap| is_free(gap, whole.y) && is_free(gap, whole.y + whole.height - 1))
            && !meets(group, whole);
        let areas: Vec<Area> = if is_alone { vec![whole] } else { parts.iter().map(|part| part.area).collect() };
        frames.extend(areas.into_iter().map(|area| Frame { area, name: names[group].clone() }));
    }
    frames.sort_by_key(|frame| (frame.area.x, frame.area.y));
    frames
}
