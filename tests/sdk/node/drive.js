// Starts one of the Node SDKs as a customer would, with only the host changed.
//
// drive.js SDK HOST WRITE_KEY PREFIX story|many|last COUNT: tells the story of tests/sdk/story.rs,
// sends COUNT events, or COUNT values of one trait, 2 ms apart and the last two at once. Prints a line of JSON: how many errors the SDK reported.

import { createRequire } from "node:module";

// The packages stand in a folder of their own, made by bin/setup.
const load = createRequire(`${process.env.RIPEN_SDKS}/package.json`);
const [sdk, host, key, prefix, task, count] = process.argv.slice(2);
const errors = [];
const complain = (error) => errors.push(String(error?.reason ?? error));

function open() {
  if (sdk === "segment") {
    const { Analytics } = load("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: key, host });
    analytics.on("error", complain);
    return [analytics, () => analytics.closeAndFlush()];
  }
  if (sdk === "segment-6") {
    const Analytics = load("analytics-node");
    const analytics = new Analytics(key, { host, errorHandler: complain });
    return [analytics, async () => { while (analytics.queue.length) await analytics.flush(); }];
  }
  const Analytics = load("@rudderstack/rudder-sdk-node");
  const analytics = new Analytics(key, { dataPlaneUrl: host, errorHandler: complain, logLevel: "none" });
  return [analytics, () => analytics.flush()];
}

const [client, close] = open();
const [user, other, visitor] = [`${prefix}-u1`, `${prefix}-u2`, `${prefix}-visitor`];
const workspace = `${prefix}-ws1`;
const here = { context: { groupId: workspace } };

if (task === "story") {
  client.page({ anonymousId: visitor, name: "Pricing", properties: { path: "/pricing" } });
  client.identify({
    userId: user,
    anonymousId: visitor,
    traits: { email: `dana@${prefix}.example`, name: "Dana Öps 🚀", title: "VP Engineering" },
  });
  client.group({ userId: user, groupId: workspace, traits: { name: `Acme ${prefix}`, plan: "trial", role: "admin" } });
  for (let n = 0; n < Number(count); n += 1) {
    client.track({ userId: user, event: "core_feature_used", properties: { feature: "export" }, ...here });
  }
  client.track({ userId: user, event: "automation_run", properties: { feature: "export" } });
  client.screen({ userId: user, name: "Mobile Home", ...here });
  client.page({ anonymousId: `${visitor}-2`, name: "Docs" });
  client.identify({ userId: other, traits: { email: `otto@${prefix}.example` } });
  client.alias({ userId: other, previousId: `${visitor}-2` });
} else if (task === "last") {
  for (let n = 0; n < Number(count); n += 1) {
    client.identify({ userId: user, traits: { plan: `plan-${n}`, seats: n } });
    if (n < Number(count) - 2) await new Promise((then) => setTimeout(then, 2));
  }
} else {
  for (let n = 0; n < Number(count); n += 1) {
    client.track({
      userId: user, event: "core_feature_used", properties: { number: n }, messageId: `${prefix}-${n}`, ...here,
    });
  }
}
await Promise.resolve(close()).catch(complain);
console.log(JSON.stringify({ errors: errors.length, first: errors.slice(0, 1) }));
