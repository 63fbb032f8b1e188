//! Events as both generations of Stripe's API write them, made by hand after `wire.md` section 6.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const T0: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

fn price(amount: i64, interval: &str) -> Value {
    json!({
        "id": "price_1", "object": "price", "nickname": "Team", "product": "prod_1", "currency": "eur",
        "billing_scheme": "per_unit", "unit_amount": amount, "unit_amount_decimal": amount.to_string(),
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
        "transform_quantity": null
    })
}

/// Before 2025-03-31: the period and the plan stand on the subscription.
fn acacia(status: &str) -> Value {
    json!({
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "currency": "eur",
        "created": T0, "start_date": T0, "current_period_start": T0, "current_period_end": T0 + 30 * DAY,
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "ended_at": null,
        "trial_start": null, "trial_end": null, "pause_collection": null, "discount": null,
        "plan": {"id": "price_1", "amount": 1000, "interval": "month"}, "quantity": 10,
        "items": {"object": "list", "has_more": false, "data": [
            {"id": "si_1", "price": price(1000, "month"), "quantity": 10,
             "plan": {"id": "price_1", "amount": 1000, "interval": "month", "interval_count": 1}}]},
        "metadata": {"workspace_id": "w1"}
    })
}

/// Since then: the period stands on the items.
fn basil(status: &str) -> Value {
    let mut object = acacia(status);
    let members = object.as_object_mut().unwrap();
    for gone in ["current_period_start", "current_period_end", "plan", "quantity", "discount"] {
        members.remove(gone);
    }
    members.insert("discounts".into(), json!([]));
    object["items"]["data"][0]["current_period_start"] = T0.into();
    object["items"]["data"][0]["current_period_end"] = (T0 + 30 * DAY).into();
    object["items"]["data"][0].as_object_mut().unwrap().remove("plan");
    object
}

fn event(kind: &str, object: Value) -> Vec<u8> {
    json!({"id": "evt_1", "object": "event", "api_version": "2025-03-31.basil", "created": T0, "type": kind,
           "livemode": true, "data": {"object": object}, "pending_webhooks": 1, "request": {"id": null}})
    .to_string()
    .into_bytes()
}

fn snapshot(object: Value) -> Snapshot {
    match read(&event("customer.subscription.updated", object)).unwrap().about {
        About::Subscription(told) => told.snapshot,
        other => panic!("{other:?}"),
    }
}

fn day(seconds: i64) -> Option<chrono::NaiveDate> {
    DateTime::from_timestamp(seconds, 0).map(|at| at.date_naive())
}

#[test]
fn both_layouts_say_the_same() {
    for status in super::super::super::terms::STATUSES {
        let (old, new) = (snapshot(acacia(status)), snapshot(basil(status)));
        assert_eq!(old, new, "{status}");
        assert_eq!(old.terms.status, status);
        let pays = matches!(status, "active" | "past_due");
        assert_eq!(old.terms.mrr_cents, if pays { 10_000 } else { 0 }, "{status}");
        let ended = matches!(status, "canceled" | "incomplete_expired");
        assert_eq!(old.terms.renewal_on, day(T0 + 30 * DAY).filter(|_| !ended), "{status}");
    }
    let one = snapshot(basil("active"));
    assert_eq!((one.customer.as_deref(), one.workspace.as_deref()), (Some("cus_1"), Some("w1")));
    let terms = one.terms;
    assert_eq!((terms.plan.as_deref(), terms.billing_period), (Some("Team"), Some("month")));
    assert_eq!((terms.currency.as_str(), terms.seats_purchased), ("eur", Some(10)));
    assert!(terms.flags.is_empty());
}

#[test]
fn a_trial_counts_nothing_and_has_its_days() {
    let mut object = basil("trialing");
    object["trial_start"] = T0.into();
    object["trial_end"] = (T0 + 14 * DAY).into();
    let terms = snapshot(object).terms;
    assert_eq!((terms.mrr_cents, terms.trial_start_on), (0, day(T0)));
    assert_eq!(terms.trial_end_on, day(T0 + 14 * DAY));
}

#[test]
fn what_will_end_does_not_renew() {
    let mut object = basil("active");
    object["cancel_at_period_end"] = true.into();
    let terms = snapshot(object.clone()).terms;
    assert_eq!((terms.ends_on, terms.renewal_on), (day(T0 + 30 * DAY), None));
    object["cancel_at"] = (T0 + 90 * DAY).into();
    assert_eq!(snapshot(object).terms.ends_on, day(T0 + 90 * DAY));
    let mut gone = basil("canceled");
    gone["canceled_at"] = T0.into();
    gone["ended_at"] = (T0 + DAY).into();
    assert_eq!(snapshot(gone).terms.canceled_at, DateTime::from_timestamp(T0 + DAY, 0));
}

#[test]
fn what_the_revenue_leaves_out_is_flagged() {
    let mut object = basil("active");
    object["items"]["has_more"] = true.into();
    object["discounts"] = json!(["di_1"]);
    let items = object["items"]["data"].as_array_mut().unwrap();
    items.push(json!({"id": "si_2", "price": {"recurring": {"interval": "month", "usage_type": "metered"}, "unit_amount": 5}}));
    items.push(json!({"id": "si_3", "quantity": 50, "price": {"billing_scheme": "tiered", "unit_amount": null,
        "recurring": {"interval": "month", "usage_type": "licensed"}}}));
    items.push(json!({"id": "si_4", "quantity": 2, "price": price(12_000, "year")}));
    let terms = snapshot(object.clone()).terms;
    assert_eq!(terms.mrr_cents, 12_000, "10 x 10.00 a month and 2 x 120.00 a year");
    assert_eq!(terms.flags, ["metered", "tiered", "more_items", "discounted"]);
    assert_eq!(terms.seats_purchased, Some(62), "licensed items alone, added up");
    object["pause_collection"] = json!({"behavior": "void", "resumes_at": null});
    let paused = snapshot(object).terms;
    assert_eq!((paused.status, paused.mrr_cents), ("active", 0));
    assert_eq!(paused.seats_purchased, Some(62), "the agreement goes on");
    assert!(!paused.flags.contains(&"free".to_owned()));
    assert!(paused.flags.contains(&"collection_paused".to_owned()));
}

#[test]
fn a_price_in_another_currency_is_not_counted_as_if_in_the_subscriptions() {
    let mut object = basil("active");
    object["currency"] = "jpy".into();
    let terms = snapshot(object.clone()).terms;
    assert_eq!((terms.currency.as_str(), terms.mrr_cents), ("jpy", 0));
    assert_eq!(terms.flags, ["other_currency"]);
    let mut yen = price(3000, "month");
    yen["currency"] = "JPY".into();
    object["items"]["data"].as_array_mut().unwrap().push(json!({"quantity": 2, "price": yen}));
    let terms = snapshot(object.clone()).terms;
    assert_eq!((terms.mrr_cents, terms.flags), (6000, vec!["other_currency".to_owned()]));
    object.as_object_mut().unwrap().remove("currency");
    assert_eq!(
        snapshot(object).terms.mrr_cents,
        10_000,
        "the first price says what the rest is in"
    );
}

#[test]
fn a_flat_plan_says_nothing_of_seats() {
    let mut object = basil("active");
    object["items"]["data"][0]["quantity"] = 1.into();
    assert_eq!(snapshot(object).terms.seats_purchased, None);
}

#[test]
fn seats_are_added_up_or_those_that_are_named_so() {
    let seats = |items: &[(&str, i64, &str)]| {
        let mut object = basil("active");
        let data = items.iter().map(|(name, quantity, usage)| {
            let mut price = price(1000, "month");
            price["nickname"] = (*name).into();
            price["recurring"]["usage_type"] = (*usage).into();
            json!({"quantity": quantity, "price": price})
        });
        object["items"]["data"] = data.collect();
        snapshot(object).terms.seats_purchased
    };
    for (items, expected) in [
        (vec![("Team", 10, "licensed"), ("Viewer", 5, "licensed")], Some(15)),
        (vec![("Platform fee", 1, "licensed"), ("Team", 25, "licensed")], Some(25)),
        (vec![("Team", 10, "licensed"), ("API calls", 90_000, "metered")], Some(10)),
        (vec![("API calls", 90_000, "metered")], None),
        (vec![("Full seats", 10, "licensed"), ("Credits", 5000, "licensed")], Some(10)),
        (vec![("Full users", 1, "licensed"), ("Guest users", 2, "licensed")], Some(3)),
        (vec![("Per-seat", 1, "licensed")], Some(1)),
        (vec![("Team", 0, "licensed")], None),
        (vec![("Team", i64::MAX, "licensed")], None),
    ] {
        assert_eq!(seats(&items), expected, "{items:?}");
    }
}

#[test]
fn a_fixed_price_of_nothing_is_flagged_free() {
    let is_free = |change: fn(&mut Value)| {
        let mut object = basil("active");
        object["items"]["data"][0]["price"] = price(0, "month");
        change(&mut object);
        snapshot(object).terms.flags.contains(&"free".to_owned())
    };
    assert!(is_free(|_| {}));
    assert!(is_free(|object| object["status"] = "canceled".into()));
    assert!(is_free(|object| object["pause_collection"] = json!({"behavior": "void"})));
    assert!(!is_free(|object| object["items"]["has_more"] = true.into()));
    assert!(!is_free(|object| object["items"]["data"] = json!([])));
    assert!(
        !is_free(|object| object["currency"] = "usd".into()),
        "its price in dollars is not told"
    );
    assert!(!is_free(|object| {
        object["items"]["data"][0]["price"]["recurring"]["usage_type"] = "metered".into();
    }));
    assert!(!is_free(|object| {
        object["items"]["data"][0]["price"] = price(900, "month");
        object["items"]["data"][0]["quantity"] = 0.into();
    }));
}

#[test]
fn the_workspace_is_named_in_any_spelling() {
    for (metadata, expected) in [
        (json!({"workspace_id": "w"}), Some("w")),
        (json!({"workspaceId": "w"}), Some("w")),
        (json!({"WorkspaceID": " w "}), Some("w")),
        (json!({"Workspace ID": "w"}), Some("w")),
        (json!({"workspace-id": "w"}), Some("w")),
        (json!({"groupId": "w"}), Some("w")),
        (json!({"workspace": "w"}), Some("w")),
        (json!({"workspace": "Acme", "groupId": "g", "workspaceId": "w"}), Some("w")),
        (json!({"workspace_id": "", "workspaceId": "w"}), Some("w")),
        (json!({"my_workspace_id_2": "w", "user_id": "u"}), None),
        (json!({"workspace_id": null}), None),
        (json!([]), None),
    ] {
        let mut object = basil("active");
        object["metadata"] = metadata.clone();
        assert_eq!(snapshot(object).workspace.as_deref(), expected, "{metadata}");
    }
}

#[test]
fn a_completed_checkout_says_whose_its_subscription_is() {
    let session = |more: Value| {
        let mut object = json!({"id": "cs_1", "object": "checkout.session", "mode": "subscription",
            "subscription": "sub_1", "customer": {"id": "cus_1"}, "metadata": {}});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(&event("checkout.session.completed", object)).unwrap().about
    };
    let About::Session(one) =
        session(json!({"client_reference_id": "w1", "metadata": {"workspaceId": "w2"}}))
    else {
        panic!("a session")
    };
    assert_eq!((one.subscription.as_str(), one.customer.as_deref()), ("sub_1", Some("cus_1")));
    assert_eq!((one.reference.as_deref(), one.workspace.as_deref()), (Some("w1"), Some("w2")));
    assert_eq!(session(json!({"subscription": null})), About::Other);
    let customer = json!({"id": "cus_1", "object": "customer", "metadata": {"workspaceId": "w1"}});
    let About::Customer(one) = read(&event("customer.updated", customer)).unwrap().about else {
        panic!("a customer")
    };
    assert_eq!(one.workspace.as_deref(), Some("w1"));
}

#[test]
fn an_invoice_names_its_customer_in_both_layouts() {
    let who = json!({"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_name": "Acme",
                     "customer_email": "Billing@Acme.Example"});
    let (mut old, mut new) = (who.clone(), who);
    old["subscription"] = "sub_1".into();
    old["subscription_details"] = json!({"metadata": {"workspace_id": " w1 "}});
    new["parent"] = json!({"type": "subscription_details", "subscription_details":
        {"subscription": "sub_1", "metadata": {"workspace_id": "w1"}}});
    let read = |object| read(&event("invoice.paid", object)).unwrap().about;
    assert_eq!(read(old.clone()), read(new));
    let About::Customer(customer) = read(old) else { panic!("a customer") };
    assert_eq!(customer.email_domain.as_deref(), Some("acme.example"));
    let invoiced = |workspace: Option<&str>| {
        Some(Invoiced { subscription: "sub_1".into(), workspace: workspace.map(str::to_owned) })
    };
    assert_eq!(customer.invoiced, invoiced(Some("w1")));
    let unnamed = json!({"id": "in_3", "customer": "cus_1", "subscription": "sub_1"});
    let About::Customer(customer) = read(unnamed) else { panic!("a customer") };
    assert_eq!(customer.invoiced, invoiced(None));
    let manual =
        json!({"id": "in_2", "object": "invoice", "customer": {"id": "cus_2"}, "parent": null});
    let About::Customer(customer) = read(manual) else { panic!("a customer") };
    assert_eq!((customer.id.as_str(), customer.invoiced), ("cus_2", None));
}

#[test]
fn thin_and_unknown_events_are_events() {
    let thin = json!({"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found",
                      "created": "2026-09-21T14:13:20.000Z", "livemode": false, "related_object": null});
    assert_eq!(read(thin.to_string().as_bytes()).unwrap().about, About::Thin);
    let other = read(&event("charge.succeeded", json!({"id": "ch_1"}))).unwrap();
    assert_eq!(other.about, About::Other);
    let new_status = read(&event("customer.subscription.updated", basil("dreaming"))).unwrap();
    assert_eq!(new_status.about, About::Other);
}

#[test]
fn what_is_no_event_says_so() {
    assert!(matches!(read(b"{"), Err(Unreadable::Json(_))));
    for body in
        ["[]", "{}", r#"{"id":"evt_1","type":"x"}"#, r#"{"id":"evt_1","type":"x","created":1}"#]
    {
        assert_eq!(read(body.as_bytes()), Err(Unreadable::NoEvent), "{body}");
    }
}

#[test]
fn two_events_of_one_change_have_one_key() {
    let key = |object| match read(&event("customer.subscription.updated", object)).unwrap().about {
        About::Subscription(told) => told.key,
        other => panic!("{other:?}"),
    };
    assert_eq!(key(basil("active")), key(basil("active")));
    assert_ne!(key(basil("active")), key(basil("past_due")));
}

#[test]
fn a_nul_is_replaced() {
    let mut object = basil("active");
    object["items"]["data"][0]["price"]["nickname"] = "Te\0am".into();
    object["metadata"]["a\0b"] = "x".into();
    assert_eq!(snapshot(object).terms.plan.as_deref(), Some("Te\u{fffd}am"));
}

proptest! {
    #[test]
    fn any_body_is_answered(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&body);
    }

    #[test]
    fn any_members_are_answered(status in ".{0,12}", number in any::<i64>(), text in ".{0,12}") {
        let mut object = basil(&status);
        for place in ["created", "trial_end", "cancel_at", "ended_at", "start_date"] {
            object[place] = number.into();
        }
        object["currency"] = text.clone().into();
        object["items"]["data"][0]["quantity"] = number.into();
        object["items"]["data"][0]["price"]["unit_amount_decimal"] = text.into();
        prop_assert!(read(&event("customer.subscription.updated", object)).is_ok());
    }
}
