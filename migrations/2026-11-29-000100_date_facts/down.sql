drop table membership_days;
drop table trait_days;
