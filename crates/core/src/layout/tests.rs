//! Layouts by tables: sizes from 400×300 up, and up to 200 panes.

use super::*;

const GAP: f32 = 8.0;

const GRAIN: Grain =
    Grain { gap: GAP, cell: Size::new(7.0, 16.0), frame: Size::new(18.0, 49.0), strip: 32.0 };

const AREAS: [Size; 6] = [
    Size::new(392.0, 240.0),
    Size::new(737.0, 556.0),
    Size::new(1001.0, 633.0),
    Size::new(1177.0, 816.0),
    Size::new(2400.0, 700.0),
    Size::new(3840.0, 2080.0),
];

const TWO: Grid = Grid { columns: 2, rows: 2 };

fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ROUND.into_iter().chain([Kind::Grid(TWO), Kind::Grid(Grid { columns: 9, rows: 9 })])
}

fn columns(count: usize, width: f32, height: f32) -> usize {
    best_columns(count, Size::new(width, height), &GRAIN)
}

/// Panes are numbers here.
fn panes(count: u32) -> Vec<u32> {
    (0..count).collect()
}

fn tree(kind: Kind, count: u32, area: Size) -> Tree<u32> {
    Tree::of(kind, &panes(count), area, &GRAIN).expect("panes")
}

fn wide(tree: &Tree<u32>, pane: u32) -> f32 {
    let plan = tree.plan(None, AREAS[3], &GRAIN);
    plan.shown.iter().find(|(own, _)| *own == pane).map_or(0.0, |(_, place)| place.width)
}

#[test]
fn panes_keep_80_columns_where_they_can() {
    for (count, width, height, expected) in [
        // 1440×900 with the list of agents.
        (1, 1177.0, 816.0, 1),
        (2, 1177.0, 816.0, 2),
        (3, 1177.0, 816.0, 2),
        (5, 1177.0, 816.0, 2),
        (7, 1177.0, 816.0, 2),
        (16, 1177.0, 816.0, 4),
        // The same with a run beside them.
        (2, 856.0, 816.0, 1),
        (3, 856.0, 816.0, 1),
        (4, 856.0, 816.0, 2),
        // 1000×640.
        (1, 737.0, 556.0, 1),
        (2, 737.0, 556.0, 1),
        (3, 737.0, 556.0, 1),
        (5, 737.0, 556.0, 2),
        // 1920×1080.
        (2, 1657.0, 996.0, 2),
        (3, 1657.0, 996.0, 2),
        (6, 1657.0, 996.0, 2),
        (16, 1657.0, 996.0, 4),
        (3, 2400.0, 700.0, 3),
    ] {
        assert_eq!(columns(count, width, height), expected, "{count} in {width}×{height}");
    }
}

#[test]
fn every_pane_is_shown_or_named_and_none_is_too_small_to_read() {
    let least = GRAIN.least();
    for area in AREAS {
        for kind in kinds() {
            for count in [1, 2, 3, 5, 16, 30, 200] {
                for at in [0, count / 2, count - 1] {
                    let what = format!("{kind} {count} {at} {area:?}");
                    let (panes, own) = (panes(count), tree(Kind::Automatic, count, area));
                    let plan = plan(kind, Some(&own), &panes, Some(at), area, &GRAIN);
                    assert!(plan.shown.iter().any(|(pane, _)| *pane == at), "{what}");
                    let mut all: Vec<u32> = plan.shown.iter().map(|(pane, _)| *pane).collect();
                    all.extend(&plan.rest);
                    all.sort_unstable();
                    let expected = if kind == Kind::Focus { vec![at] } else { panes };
                    assert_eq!(all, expected, "{what}");
                    let bottom =
                        if plan.rest.is_empty() { area.height } else { area.height - GRAIN.strip };
                    let places = plan.places();
                    let right = places.iter().map(|p| p.x + p.width).fold(0.0, f32::max);
                    let low = places.iter().map(|p| p.y + p.height).fold(0.0, f32::max);
                    assert_eq!((right, low), (area.width, bottom), "{what}");
                    for (i, a) in places.iter().enumerate() {
                        let small = a.width < least.width.min(area.width)
                            || a.height < least.height.min(bottom);
                        assert!(!small, "{what}: {a:?}");
                        for b in &places[i + 1..] {
                            let meets = overlap(a.x, a.width, b.x, b.width)
                                && overlap(a.y, a.height, b.y, b.height);
                            assert!(!meets, "{what}: {a:?} {b:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn no_panes_need_no_places() {
    for kind in kinds() {
        let none = plan::<u32>(kind, None, &[], None, Size::new(0.0, 0.0), &GRAIN);
        assert_eq!(none, Plan { shown: Vec::new(), rest: Vec::new() });
    }
    assert_eq!(Tree::<u32>::of(Kind::Automatic, &[], AREAS[0], &GRAIN), None);
}

#[test]
fn what_does_not_fit_comes_in_pages() {
    for (count, at, most, expected) in [
        (5, 0, 2, (0, 2)),
        (5, 1, 2, (0, 2)),
        (5, 2, 2, (2, 4)),
        (5, 4, 2, (3, 5)),
        (5, 4, 9, (0, 5)),
        (0, 0, 2, (0, 0)),
        (3, 2, 0, (2, 3)),
    ] {
        assert_eq!(page(count, at, most), expected, "{count} {at} {most}");
    }
}

#[test]
fn neighbours_face_each_other() {
    // 0 1
    // 2 2
    let places = regular(3, 2, Size::new(800.0, 600.0), GAP);
    for (from, direction, expected) in [
        (0, Direction::Right, Some(1)),
        (1, Direction::Left, Some(0)),
        (0, Direction::Down, Some(2)),
        (1, Direction::Down, Some(2)),
        (2, Direction::Right, None),
        (0, Direction::Up, None),
        (9, Direction::Up, None),
    ] {
        assert_eq!(neighbour(&places, from, direction), expected, "{from} {direction:?}");
    }
}

#[test]
fn layouts_come_round_and_are_found_by_name() {
    let mut kind = Kind::Automatic;
    for _ in Kind::ROUND {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        kind = kind.next();
    }
    assert_eq!(kind, Kind::Automatic);
    for (text, expected) in [
        ("grid-3x2", Ok(Kind::Grid(Grid { columns: 3, rows: 2 }))),
        ("grid-0x2", Err(Unknown)),
        ("grid-10x2", Err(Unknown)),
        ("spiral", Err(Unknown)),
        ("", Err(Unknown)),
    ] {
        assert_eq!(text.parse(), expected, "{text}");
    }
    for (text, expected) in [(" 3 × 2 ", Some((3, 2))), ("2x9", Some((2, 9))), ("3", None)] {
        let grid = text.parse::<Grid>().ok().map(|grid| (grid.columns, grid.rows));
        assert_eq!(grid, expected, "{text}");
    }
}

#[test]
fn a_tree_begins_as_the_rule_had_it() {
    for area in AREAS {
        for kind in [Kind::Automatic, Kind::Columns, Kind::Rows, Kind::Main, Kind::Grid(TWO)] {
            for count in 1..=4 {
                let panes = panes(count);
                let ruled = plan(kind, None, &panes, Some(0), area, &GRAIN);
                if !ruled.rest.is_empty() {
                    continue;
                }
                let own = tree(kind, count, area).plan(Some(0), area, &GRAIN);
                for ((a, there), (b, here)) in ruled.shown.iter().zip(&own.shown) {
                    let far = [there.x - here.x, there.y - here.y, there.width - here.width];
                    assert!(a == b && far.iter().all(|far| far.abs() <= 2.0), "{kind} {count}");
                }
            }
        }
    }
}

#[test]
fn an_edge_moves_where_it_is_told() {
    let columns = tree(Kind::Columns, 3, AREAS[3]);
    for (pane, direction, wider, narrower) in [
        (0, Direction::Right, 0, 1),
        (0, Direction::Left, 1, 0),
        (1, Direction::Right, 1, 2),
        (2, Direction::Left, 2, 1),
        (2, Direction::Right, 1, 2),
    ] {
        let resized = columns.resized(pane, direction).expect("an edge");
        let by = |pane| wide(&resized, pane) - wide(&columns, pane);
        assert!(by(wider) > 20.0 && by(narrower) < -20.0, "{pane} {direction:?}");
    }
    assert_eq!(columns.resized(1, Direction::Up), None);
    assert_eq!(Tree::Pane(1).resized(1, Direction::Up), None);
    let mut narrow = columns;
    for _ in 0..100 {
        narrow = narrow.resized(0, Direction::Left).expect("an edge");
    }
    assert_eq!(wide(&narrow, 0), GRAIN.least().width, "no pane becomes too small");
    assert_eq!(wide(&narrow.evened(), 0), wide(&narrow.evened(), 2));
}

#[test]
fn panes_change_places() {
    let pane = Tree::Pane::<u32>;
    let split = |axis, parts: Vec<Tree<u32>>| Tree::Split {
        axis,
        parts: parts.into_iter().map(|part| (1000, part)).collect(),
    };
    let (beside, below) = (Axis::Beside, Axis::Below);
    let row = split(beside, vec![pane(0), pane(1), pane(2)]);
    assert_eq!(row.swapped(0, 2), split(beside, vec![pane(2), pane(1), pane(0)]));
    let stacked = split(beside, vec![split(below, vec![pane(0), pane(1)]), pane(2)]);
    assert_eq!(row.moved(1, Some(0), Direction::Left).as_ref(), Some(&stacked));
    assert_eq!(
        stacked.moved(1, None, Direction::Right),
        Some(split(beside, vec![pane(0), pane(2), pane(1),]))
    );
    assert_eq!(
        row.moved(1, None, Direction::Down),
        Some(split(below, vec![split(beside, vec![pane(0), pane(2)]), pane(1)]))
    );
    assert_eq!(row.turned(1), Some(split(below, vec![pane(0), pane(1), pane(2)])));
    let thirds = vec![(750, pane(0)), (750, pane(1)), (1500, pane(2))];
    let joined = Tree::Split { axis: beside, parts: thirds };
    assert_eq!(stacked.turned(0), Some(joined), "what they had together stays what they have");
    assert_eq!(pane(0).moved(0, None, Direction::Down), None);
}

#[test]
fn a_tree_keeps_up_with_the_panes() {
    let row = tree(Kind::Columns, 3, AREAS[3]);
    assert_eq!(row.clone().with(&[0, 1, 2], AREAS[3], &GRAIN).as_ref(), Some(&row));
    let less = row.clone().with(&[0, 2], AREAS[3], &GRAIN).expect("panes");
    assert_eq!(less.panes(), [0, 2]);
    let more = row.with(&[0, 1, 2, 7], AREAS[3], &GRAIN).expect("panes");
    assert_eq!(more.panes().len(), 4);
    assert!(more.plan(None, AREAS[3], &GRAIN).rest.is_empty());
    assert_eq!(less.with(&[], AREAS[3], &GRAIN), None);
}

#[test]
fn a_broken_tree_is_mended() {
    let area = AREAS[3];
    for text in [
        r#"{"Split":{"axis":"Beside","parts":[]}}"#,
        r#"{"Split":{"axis":"Beside","parts":[[0,{"Pane":0}],[4294967295,{"Pane":1}]]}}"#,
        r#"{"Split":{"axis":"Below","parts":[[1,{"Pane":0}],[1,{"Pane":0}],[1,{"Pane":9}]]}}"#,
        r#"{"Split":{"axis":"Below","parts":[[1,{"Split":{"axis":"Below","parts":[[7,{"Pane":1}]]}}]]}}"#,
    ] {
        let read: Tree<u32> = serde_json::from_str(text).expect("a tree");
        let mended = read.with(&[0, 1], area, &GRAIN).expect("panes");
        let mut all = mended.panes();
        all.sort_unstable();
        assert_eq!(all, [0, 1], "{text}");
        assert_eq!(mended.plan(None, area, &GRAIN).shown.len(), 2, "{text}");
    }
    assert!(serde_json::from_str::<Tree<u32>>(r#"{"Spiral":{"turns":3}}"#).is_err());
}
