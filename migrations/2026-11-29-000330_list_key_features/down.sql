drop table key_features;
