comment on column sources.disabled_at is 'Not read: a source is not switched off, its keys are revoked. It stays for servers of an older version that run beside this one.';
