use maestro_core::conversation::Question;

use super::*;

fn command(id: &str, always: Option<&str>) -> Request {
    Request {
        id: id.to_owned(),
        call: None,
        ask: Ask::Command { command: "rm -rf target".to_owned(), directory: None },
        why: String::new(),
        always: always.map(str::to_owned),
        asked_ms: 0,
    }
}

fn question(header: &str, options: &[&str], several: bool) -> Question {
    Question {
        header: header.to_owned(),
        text: format!("{header}?"),
        options: options.iter().map(|label| ((*label).to_owned(), String::new())).collect(),
        several,
    }
}

fn questions(all: Vec<Question>) -> Request {
    Request { ask: Ask::Questions(all), ..command("q", None) }
}

/// Cards with a request in front that was seen.
fn seen(requests: &[Request]) -> Cards {
    let mut cards = Cards::default();
    let wait = cards.settle(requests).expect("a card in front");
    cards.look(wait);
    cards
}

#[test]
fn no_key_answers_what_nobody_has_seen() {
    let requests = [command("one", Some("all of it"))];
    let mut cards = Cards::default();
    let first = cards.settle(&requests).expect("a card");
    for id in [Id::RequestOnce, Id::RequestAlways, Id::RequestDeny] {
        assert!(matches!(cards.command(id, &requests), Action::Wait(_)), "{id}");
    }
    // The wait that began when it came is over, the one since the last key is not.
    cards.look(first);
    assert!(matches!(cards.command(Id::RequestOnce, &requests), Action::Wait(_)));
    let Action::Wait(last) = cards.disturbed() else { panic!("still unseen") };
    cards.look(last);
    assert_eq!(
        cards.command(Id::RequestOnce, &requests),
        Action::Answer("one".to_owned(), Answer::Once)
    );
}

#[test]
fn the_next_request_has_to_be_seen_on_its_own() {
    let requests = [command("one", None), command("two", None)];
    let mut cards = seen(&requests);
    let _ = cards.command(Id::RequestOnce, &requests);
    let wait = cards.settle(&requests).expect("the next one is in front");
    assert_eq!(cards.front(&requests).map(|request| &*request.id), Some("two"));
    assert!(matches!(cards.command(Id::RequestOnce, &requests), Action::Wait(_)));
    cards.look(wait);
    assert!(matches!(cards.command(Id::RequestOnce, &requests), Action::Wait(_)));
}

#[test]
fn an_answer_is_given_once_and_again_only_if_it_was_refused() {
    let requests = [command("one", None)];
    let mut cards = seen(&requests);
    assert!(matches!(cards.command(Id::RequestOnce, &requests), Action::Answer(..)));
    assert_eq!(cards.settle(&requests), None, "nothing else is in front");
    assert!(!cards.is_open());
    assert_eq!(cards.command(Id::RequestOnce, &requests), Action::Command(Id::RequestOnce));
    cards.refused("one");
    assert!(cards.settle(&requests).is_some());
}

#[test]
fn always_is_only_there_where_it_was_offered() {
    let requests = [command("one", None)];
    assert_eq!(seen(&requests).command(Id::RequestAlways, &requests), Action::None);
    let requests = [command("one", Some("npm install in this session"))];
    assert_eq!(
        seen(&requests).command(Id::RequestAlways, &requests),
        Action::Answer("one".to_owned(), Answer::Always)
    );
}

#[test]
fn a_refusal_has_a_reason_that_escape_takes_back() {
    let requests = [command("one", None)];
    let mut cards = seen(&requests);
    assert_eq!(cards.command(Id::RequestDeny, &requests), Action::Focus);
    assert!(cards.is_writing());
    let _ = cards.update(Message::Written("use pnpm ".to_owned()), &requests);
    assert_eq!(cards.command(Id::RequestLeave, &requests), Action::Focus);
    assert!(!cards.is_writing());
    let _ = cards.command(Id::RequestDeny, &requests);
    let _ = cards.update(Message::Written("use pnpm ".to_owned()), &requests);
    assert_eq!(
        cards.command(Id::RequestSubmit, &requests),
        Action::Answer("one".to_owned(), Answer::Deny("use pnpm".to_owned()))
    );
}

#[test]
fn one_question_is_answered_by_a_digit() {
    let requests = [questions(vec![question("Currency", &["EUR", "USD"], false)])];
    let mut cards = seen(&requests);
    assert_eq!(cards.command(Id::RequestOption(3), &requests), Action::None, "there is no third");
    assert_eq!(cards.command(Id::RequestOnce, &requests), Action::None, "y answers no question");
    assert_eq!(
        cards.command(Id::RequestOption(2), &requests),
        Action::Answer("q".to_owned(), Answer::Choices(vec![vec!["USD".to_owned()]]))
    );
}

#[test]
fn several_questions_are_answered_one_after_the_other() {
    let requests = [questions(vec![
        question("Currency", &["EUR", "USD"], false),
        question("Files", &["a", "b", "c"], true),
        question("Name", &["x"], false),
    ])];
    let mut cards = seen(&requests);
    assert_eq!(cards.command(Id::RequestOption(1), &requests), Action::Focus);
    assert_eq!(cards.command(Id::RequestOption(1), &requests), Action::None);
    assert_eq!(cards.command(Id::RequestOption(3), &requests), Action::None);
    assert_eq!(cards.command(Id::RequestOption(1), &requests), Action::None, "taken back");
    assert_eq!(cards.command(Id::RequestSubmit, &requests), Action::Focus);
    assert_eq!(cards.command(Id::RequestWrite, &requests), Action::Focus);
    let _ = cards.update(Message::Written("prefs".to_owned()), &requests);
    let expected = [vec!["EUR".to_owned()], vec!["c".to_owned()], vec!["prefs".to_owned()]];
    assert_eq!(
        cards.command(Id::RequestSubmit, &requests),
        Action::Answer("q".to_owned(), Answer::Choices(expected.to_vec()))
    );
}

#[test]
fn what_was_answered_elsewhere_goes() {
    let requests = [command("one", None)];
    let mut cards = seen(&requests);
    assert_eq!(cards.settle(&[]), None);
    assert!(!cards.is_open());
    assert!(cards.settle(&requests).is_some(), "asked again, it is to be seen again");
}
