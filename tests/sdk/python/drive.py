"""Starts one of the Python SDKs as a customer would, with only the host changed.

drive.py SDK HOST WRITE_KEY PREFIX story|many COUNT: tells the story of tests/sdk/story.rs, or sends
COUNT events. Prints a line of JSON: how many errors the SDK reported.
"""

import json
import sys

sdk, host, key, prefix, task, count = sys.argv[1:]
if sdk == "segment":
    from segment.analytics.client import Client
elif sdk == "segment-1":
    from analytics.client import Client
else:
    from rudderstack.analytics.client import Client

errors = []
client = Client(key, host=host, on_error=lambda error, batch: errors.append(str(error)))
user, other, visitor = prefix + "-u1", prefix + "-u2", prefix + "-visitor"
workspace = prefix + "-ws1"

if task == "story":
    client.page(anonymous_id=visitor, name="Pricing", properties={"path": "/pricing"})
    client.identify(
        user,
        {"email": "dana@" + prefix + ".example", "name": "Dana Öps 🚀", "title": "VP Engineering"},
        anonymous_id=visitor,
    )
    client.group(user, workspace, {"name": "Acme " + prefix, "plan": "trial", "role": "admin"})
    for _ in range(int(count)):
        client.track(user, "core_feature_used", {"feature": "export"}, context={"groupId": workspace})
    client.track(user, "automation_run", {"feature": "export"})
    client.screen(user, name="Mobile Home", context={"groupId": workspace})
    client.page(anonymous_id=visitor + "-2", name="Docs")
    client.identify(other, {"email": "otto@" + prefix + ".example"})
    client.alias(visitor + "-2", other)
else:
    for number in range(int(count)):
        client.track(
            user, "core_feature_used", {"number": number}, context={"groupId": workspace},
            message_id="%s-%d" % (prefix, number),
        )
client.flush()
client.join()
print(json.dumps({"errors": len(errors), "first": errors[:1]}))
