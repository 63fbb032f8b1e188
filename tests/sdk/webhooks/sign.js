// Signs a webhook as a sender would, with the published packages.
//
// sign.js stripe|standard SECRET ID TIME BODY: prints the headers as a line of JSON.

import { createRequire } from "node:module";

// The packages stand in a folder of their own, made by bin/setup.
const load = createRequire(`${process.env.RIPEN_SDKS}/package.json`);
const [kind, secret, message, time, payload] = process.argv.slice(2);
const headers = {};
if (kind === "stripe") {
  const Stripe = load("stripe");
  const stripe = new (Stripe.default ?? Stripe)("sk_test_unused");
  const timestamp = Number(time);
  headers["Stripe-Signature"] = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
} else {
  const { Webhook } = load("standardwebhooks");
  headers["webhook-id"] = message;
  headers["webhook-timestamp"] = time;
  headers["webhook-signature"] = new Webhook(secret).sign(message, new Date(Number(time) * 1000), payload);
}
console.log(JSON.stringify(headers));
