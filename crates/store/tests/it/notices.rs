use maestro_core::AgentId;
use maestro_core::notice::{History, Kind, MOST, News, Which};

use crate::Home;

#[test]
fn notices_are_bounded_marked_and_cleared() {
    let home = Home::new();
    let store = home.store();
    let mut history = History::default();
    let count = MOST as u64 + 20;
    for id in 0..count {
        let news = News {
            kind: Kind::Done,
            agent: Some(AgentId(id)),
            run: None,
            who: "api".into(),
            text: "all \"tests\" pass".into(),
        };
        store.put_notice(&history.add(news, id)).expect("kept");
    }
    assert_eq!(store.notices().expect("read"), history.all());
    let ids = history.mark(Which::Agent(AgentId(count - 1)), true);
    store.mark_notices(&ids, true).expect("marked");
    assert_eq!(store.notices().expect("read"), history.all());
    assert_eq!(history.unread(), MOST - 1);
    store.clear_notices().expect("cleared");
    assert_eq!(store.notices().expect("read"), []);
}
