drop table subscription_words;
