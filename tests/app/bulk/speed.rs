//! How many records a second; run with `--ignored --nocapture`, in a release build for a figure that
//! means something.

use std::time::Instant;

use ripen::bulk::call::Sender;
use ripen::bulk::kind::Kind;
use ripen::bulk::ops;
use ripen::ids::SourceId;
use ripen::jobs::PROJECTIONS;
use serde_json::json;
use uuid::Uuid;

use crate::drain::support::Product;

#[test]
#[ignore = "prints figures"]
fn records_a_second() {
    const ROWS: usize = 20_000;
    let product = Product::new();
    let now = product.clock.now();
    for kind in Kind::ALL {
        let lines: Vec<String> = (0..ROWS)
            .map(|n| {
                let record = match kind {
                    Kind::Workspaces => json!({"workspace_id": format!("w{n}"), "name": format!("Workspace {n}"), "plan": "pro", "seats": n % 50, "sso_domain": format!("c{n}.com")}),
                    Kind::Accounts => json!({"domain": format!("c{n}.com"), "employee_count": n, "industry": "Software", "territory": "emea"}),
                    Kind::Users => json!({"user_id": format!("u{n}"), "email": format!("p{n}@c{n}.com"), "job_title": "VP Engineering"}),
                    Kind::Memberships => json!({"user_id": format!("u{n}"), "workspace_id": format!("w{n}"), "role": "admin"}),
                    Kind::Subscriptions => json!({"subscription_id": format!("s{n}"), "workspace_id": format!("w{n}"), "status": "active", "mrr_cents": 4900}),
                };
                record.to_string()
            })
            .collect();
        let body = lines.join("\n");
        for round in ["new", "again"] {
            let start = Instant::now();
            let entries = ops::read(kind, body.as_bytes(), now).unwrap();
            let read = start.elapsed();
            let sender = Sender { source: SourceId(Uuid::nil()), received_at: now };
            let (outcomes, error) = ops::write(&product.db, sender, &PROJECTIONS, entries);
            let whole = start.elapsed();
            assert!(error.is_none() && outcomes.len() == ROWS);
            println!(
                "{:14} {round:6} {:>7.0} records/s ({:.0} % of the time reading)",
                kind.key(),
                ROWS as f64 / whole.as_secs_f64(),
                100.0 * read.as_secs_f64() / whole.as_secs_f64()
            );
        }
    }
}
