-- The line of workspaces that wait for an owner is made from these: few beside all decisions.
create index routing_decisions_for_people on routing_decisions (workspace_id)
    where destination in ('sdr', 'ae', 'csm');
