drop table routing_decisions;
drop table routing_rule_sets;
