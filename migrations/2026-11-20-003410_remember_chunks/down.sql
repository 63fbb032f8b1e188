drop table journal_chunks;
