delete from jobs where kind = 'reread' and finished_at is null;
