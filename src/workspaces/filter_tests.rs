use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn one_of(
    list: &'static [(&'static str, &'static str)],
) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(list).prop_map(|(key, _)| key))
}

fn query() -> impl Strategy<Value = Query> {
    let id = || any::<u128>().prop_map(Uuid::from_u128);
    let owner = prop_oneof![
        Just(Owner::Nobody),
        Just(Owner::Me),
        id().prop_map(|id| Owner::Member(MemberId(id))),
    ];
    let filter = (
        "\\PC{0,40}",
        prop::sample::subsequence(STAGES.map(|(key, _)| key).to_vec(), 0..=4),
        prop::option::of(owner),
        one_of(&PLANS),
        one_of(&TIERS),
        prop::option::of(id().prop_map(AccountId)),
        prop::option::of(0..=TRIAL_DAYS),
        prop::option::of(any::<bool>()),
        one_of(&KINDS),
    )
        .prop_map(|(search, stages, owner, plan, tier, account, trial, admin, kind)| Filter {
            search: readable(&search, SEARCH_LENGTH),
            stages,
            owner,
            plan,
            tier,
            account,
            trial,
            admin,
            kind,
        });
    let sort = (prop::sample::select(&SortKey::ALL[..]), any::<bool>())
        .prop_map(|(key, falling)| Sort { key, falling });
    (filter, sort, prop::option::of((any::<i32>(), id()))).prop_map(|(filter, sort, after)| {
        let after = after.map(|(value, id)| Cursor {
            value: match sort.key {
                SortKey::Name => None,
                SortKey::LastActive => Some(i64::from(value.unsigned_abs()) * 1_000_000),
                _ => Some(i64::from(value)),
            },
            id: WorkspaceId(id),
        });
        Query { filter, sort, after }
    })
}

proptest! {
    #[test]
    fn an_address_reads_back(query in query()) {
        let text = query.to_query_string();
        prop_assert_eq!(Query::parse(&text), (query, vec![]), "{}", text);
    }

    #[test]
    fn any_text_is_an_address(text in "\\PC{0,80}|[a-z]{1,7}=[\\PC]{0,20}(&[a-z]{1,7}=\\PC{0,20}){0,4}") {
        let (query, _) = Query::parse(&text);
        let again = query.to_query_string();
        prop_assert_eq!(Query::parse(&again), (query, vec![]));
    }
}

#[test]
fn what_means_nothing_is_named_and_left_out() {
    let (query, ignored) =
        Query::parse("stage=boiling&stage=hot&owner=me&trial=900&sort=price&utm_source=x&plan=");
    assert_eq!(query.filter.stages, ["hot_pql"]);
    assert_eq!(query.filter.owner, Some(Owner::Me));
    assert_eq!(query.sort, Sort::default());
    let names: Vec<&str> = ignored.iter().map(|one| one.param.as_str()).collect();
    assert_eq!(names, ["stage", "trial", "sort"]);
    assert_eq!(query.href(), "/workspaces?stage=hot_pql&owner=me");
}

#[test]
fn a_place_belongs_to_its_order() {
    let id = WorkspaceId::new();
    let (query, ignored) = Query::parse(&format!("after=7400~{id}"));
    assert_eq!(query.after, Some(Cursor { value: Some(7_400), id }));
    assert!(ignored.is_empty());
    let (query, ignored) = Query::parse(&format!("after=7400~{id}&sort=name"));
    assert_eq!((query.after, ignored.len()), (None, 1));
    for micros in [i64::MIN, -210_895_747_200_000_001, -1, 253_402_300_800_000_000, i64::MAX] {
        let (query, ignored) = Query::parse(&format!("after={micros}~{id}&sort=-active"));
        assert_eq!((query.after, ignored.len()), (None, 1), "{micros}");
    }
    let (query, _) = Query::parse("q=%00acme%0A");
    assert_eq!(query.filter.search, "acme");
}

#[test]
fn an_order_is_said_in_words() {
    assert_eq!(Sort::default().words(), "score, high to low");
    assert_eq!(Sort::from_key("name").unwrap().words(), "name, A to Z");
    assert_eq!(Sort::from_key("trial_end").unwrap().words(), "end of trial, soonest first");
}

#[test]
fn a_demand_can_be_dropped() {
    let (query, _) = Query::parse(
        "q=a&stage=pql&owner=none&plan=pro&tier=A&trial=7&admin=no&type=prod&account=018f0000-0000-7000-8000-000000000000",
    );
    assert_eq!(query.filter.asks().count(), 9);
    let bare =
        query.filter.asks().fold(query.filter.clone(), |filter, param| filter.without(param));
    assert_eq!(bare, Filter::default());
}
