"""Signs a webhook as a sender would, with the published packages.

sign.py stripe|standard SECRET ID TIME BODY: prints the headers as a line of JSON.
"""

import datetime
import json
import sys

kind, secret, message, time, body = sys.argv[1:]
if kind == "stripe":
    import stripe

    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time))
    headers = {"Stripe-Signature": header}
else:
    from standardwebhooks.webhooks import Webhook

    at = datetime.datetime.fromtimestamp(int(time), datetime.timezone.utc)
    headers = {
        "webhook-id": message,
        "webhook-timestamp": time,
        "webhook-signature": Webhook(secret).sign(message, at, body),
    }
print(json.dumps(headers))
