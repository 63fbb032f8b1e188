use super::*;
use chrono::TimeZone;

#[test]
fn sizes_have_a_digit_after_the_point_while_they_are_small() {
    for (size, text) in [
        (-1, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_449, "1.4 kB"),
        (12_900, "12 kB"),
        (340_000_000, "340 MB"),
        (1_400_000_000, "1.4 GB"),
        (i64::MAX, "9223372 TB"),
    ] {
        assert_eq!(bytes(size), text);
    }
}

#[test]
fn scores_are_rounded_down_and_points_to_the_nearest() {
    assert_eq!(score(7_999), "79");
    assert_eq!(score(8_000), "80");
    assert_eq!(score(-150), "−2");
    assert_eq!(points(2_155), "21.6");
    assert_eq!(points(-320), "−3.2");
    assert_eq!(points(-4), "0.0");
    assert_eq!(signed(1_300), "+13.0");
    assert_eq!(signed(-310), "−3.1");
    assert_eq!(signed(0), "0.0");
    assert_eq!(limit(2_500), "25");
    assert_eq!(limit(1_250), "12.5");
}

#[test]
fn counts_are_grouped_and_agree_with_their_noun() {
    assert_eq!(count(0, "workspace", "workspaces"), "no workspaces");
    assert_eq!(count(1, "workspace", "workspaces"), "1 workspace");
    assert_eq!(count(1_284, "workspace", "workspaces"), "1,284 workspaces");
    assert_eq!(grouped(-1_000_000), "−1,000,000");
    assert_eq!(grouped(i64::MIN), "−9,223,372,036,854,775,808");
}

#[test]
fn money_knows_its_currency() {
    assert_eq!(money(120_000, "USD"), "$1,200");
    assert_eq!(money(1_250, "EUR"), "€12.50");
    assert_eq!(money(-5, "GBP"), "−£0.05");
    assert_eq!(money(900, "JPY"), "¥900");
    assert_eq!(money(1_005, "KWD"), "KWD\u{a0}1.005");
    assert_eq!(money(4_000, "CHF"), "CHF\u{a0}40");
}

#[test]
fn times_are_told_in_days_of_the_viewer() {
    let zone = chrono_tz::Europe::Berlin;
    let now = Utc.with_ymd_and_hms(2026, 11, 20, 8, 0, 0).unwrap();
    let ago = |minutes: i64| relative(now - TimeDelta::minutes(minutes), now, zone);
    assert_eq!(ago(0), "just now");
    assert_eq!(ago(3), "3 min ago");
    assert_eq!(ago(125), "2 h ago");
    assert_eq!(ago(10 * 60), "yesterday 23:00");
    assert_eq!(ago(5 * 24 * 60), "5 days ago");
    assert_eq!(ago(7 * 24 * 60), "13 Nov");
    assert_eq!(ago(400 * 24 * 60), "16 Oct 2025");
    assert_eq!(ago(-20), "in 20 min");
    assert_eq!(ago(-24 * 60), "tomorrow 09:00");
    assert_eq!(ago(-3 * 24 * 60), "in 3 days");
}

#[test]
fn minutes_across_midnight_are_not_yesterday() {
    let now = Utc.with_ymd_and_hms(2026, 11, 20, 0, 10, 0).unwrap();
    assert_eq!(relative(now - TimeDelta::minutes(20), now, Tz::UTC), "20 min ago");
}

#[test]
fn a_moment_has_its_full_text() {
    let at = Utc.with_ymd_and_hms(2026, 7, 1, 12, 0, 0).unwrap();
    let moment = moment(at, at + TimeDelta::minutes(3), chrono_tz::Europe::Berlin);
    assert_eq!(moment.iso, "2026-07-01T12:00:00Z");
    assert_eq!(moment.title, "1 Jul 2026, 14:00 CEST");
    assert_eq!(moment.text, "3 min ago");
}

#[test]
fn a_change_is_told_by_shape_and_word() {
    assert_eq!(Change::of(1_250).points, "12");
    assert_eq!(Change::of(1_250).glyph, "▲");
    assert_eq!(Change::of(-90).direction, "none");
    assert_eq!(Change::of(-190).word, "down");
}

#[test]
fn a_sorted_head_turns_round() {
    assert_eq!(Order::of("-score", "score", "-").next, "score");
    assert_eq!(Order::of("-score", "score", "-").aria, Some("descending"));
    assert_eq!(Order::of("score", "score", "-").next, "-score");
    assert_eq!(Order::of("score", "name", "").next, "name");
    assert_eq!(Order::of("name", "score", "-").next, "-score");
}

#[test]
fn names_have_initials() {
    assert_eq!(initials("Ada King Lovelace"), "AL");
    assert_eq!(initials("måns"), "M");
    assert_eq!(initials("  "), "?");
}
