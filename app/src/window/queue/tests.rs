use super::super::scene;
use super::*;

fn model() -> Model {
    let mut model = Model::default();
    let mut world = scene::world();
    world.tabs = scene::tabs();
    world.queues = scene::queues();
    model.replace(world);
    model
}

fn open() -> (Model, View) {
    let model = model();
    let view = View::new(&model, Some(AgentId(1)));
    (model, view)
}

fn marked(view: &View) -> u64 {
    view.marked.expect("a marked prompt").0
}

#[test]
fn the_marked_prompt_moves_over_all_queues() {
    let (model, mut view) = open();
    let all: Vec<u64> = view.items(&model).iter().map(|(_, item)| item.id.0).collect();
    assert!(all.len() > 3);
    for expected in &all {
        assert_eq!(marked(&view), *expected);
        let _ = view.command(Id::OverlayDown, &model);
    }
    assert_eq!(Some(&marked(&view)), all.last(), "the end is an end");
    let _ = view.command(Id::QueueAll, &model);
    assert!(view.items(&model).len() < all.len(), "only the marked one's agent");
}

#[test]
fn a_prompt_moves_within_its_queue() {
    let (model, mut view) = open();
    let queue = &model.queues[&AgentId(1)];
    let ids: Vec<ItemId> = queue.items.iter().map(|item| item.id).collect();
    let change = |id, before| Action::Change(id, ItemChange::Before(before));
    assert_eq!(view.command(Id::QueueUp, &model), Action::None);
    assert_eq!(view.command(Id::QueueDown, &model), change(ids[0], Some(ids[2])));
    for _ in 0..ids.len() - 1 {
        let _ = view.command(Id::OverlayDown, &model);
    }
    let last = ids[ids.len() - 1];
    assert_eq!(view.command(Id::QueueDown, &model), Action::None);
    assert_eq!(view.command(Id::QueueUp, &model), change(last, Some(ids[ids.len() - 2])));
    assert_eq!(moved(queue, ids[ids.len() - 2], true), Some(None), "to the end");
}

#[test]
fn what_was_removed_is_put_back() {
    let (model, mut view) = open();
    let first = ItemId(marked(&view));
    assert_eq!(view.command(Id::QueueRowRemove, &model), Action::Change(first, ItemChange::Remove));
    assert_ne!(view.marked, Some(first), "the next one is marked");
    assert_eq!(view.command(Id::QueueUndo, &model), Action::Change(first, ItemChange::Restore));
    assert_eq!(view.command(Id::QueueUndo, &model), Action::None);
}

#[test]
fn a_prompt_is_edited_in_place() {
    let (model, mut view) = open();
    let _ = view.command(Id::OverlayAccept, &model);
    assert!(view.is_editing());
    assert_eq!(view.command(Id::OverlayAccept, &model), Action::None, "nothing changed");
    let _ = view.command(Id::OverlayAccept, &model);
    let insert = |c| Message::Acted(Act::Edit(iced::widget::text_editor::Edit::Insert(c)));
    let _ = view.update(insert('!'), &model);
    let item = model.queues[&AgentId(1)].items[0].clone();
    let mut prompt = item.prompt.clone();
    prompt.text.push('!');
    assert_eq!(
        view.command(Id::OverlayAccept, &model),
        Action::Change(item.id, ItemChange::Prompt(prompt))
    );
    let _ = view.command(Id::OverlayAccept, &model);
    let _ = view.update(insert('?'), &model);
    assert_eq!(view.command(Id::OverlayCancel, &model), Action::None);
    assert!(!view.is_editing(), "Escape leaves the text and not the view");
    assert_eq!(view.command(Id::OverlayCancel, &model), Action::Close);
}

#[test]
fn a_queue_is_held_and_let_go() {
    let (model, mut view) = open();
    let held = model.queues[&AgentId(1)].held.is_some();
    assert_eq!(view.command(Id::QueueHoldAll, &model), Action::Hold(AgentId(1), !held));
    let item = model.queues[&AgentId(1)].items[0].clone();
    assert_eq!(
        view.command(Id::QueueRowHold, &model),
        Action::Change(item.id, ItemChange::Held(!item.held))
    );
    assert_eq!(view.command(Id::QueueRowNow, &model), Action::Change(item.id, ItemChange::Now));
    assert_eq!(view.command(Id::QueueRowTab, &model), Action::Target(item.id, item.tab));
    assert_eq!(view.command(Id::QueueRowOpen, &model), Action::Open(item.tab));
}
