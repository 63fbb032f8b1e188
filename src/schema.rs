// @generated automatically by Diesel CLI.

diesel::table! {
    absences (id) {
        id -> Int8,
        member_id -> Uuid,
        from_on -> Date,
        to_on -> Date,
    }
}

diesel::table! {
    account_domains (domain) {
        domain -> Text,
        account_id -> Uuid,
    }
}

diesel::table! {
    account_links (workspace_id) {
        workspace_id -> Uuid,
        account_id -> Nullable<Uuid>,
        confidence -> Int4,
        evidence -> Jsonb,
        pinned_by -> Nullable<Uuid>,
        decided_at -> Timestamptz,
    }
}

diesel::table! {
    account_owners (account_id) {
        account_id -> Uuid,
        member_id -> Uuid,
        since -> Timestamptz,
    }
}

diesel::table! {
    account_scores (account_id) {
        account_id -> Uuid,
        as_of -> Date,
        score -> Int4,
        stage -> Text,
        workspaces -> Int4,
        best_workspace_score -> Int4,
        card -> Jsonb,
        scored_at -> Timestamptz,
    }
}

diesel::table! {
    accounts (id) {
        id -> Uuid,
        name -> Text,
        primary_domain -> Nullable<Text>,
        industry -> Nullable<Text>,
        sub_industry -> Nullable<Text>,
        employee_count -> Nullable<Int4>,
        country -> Nullable<Text>,
        region -> Nullable<Text>,
        tech_stack -> Array<Nullable<Text>>,
        segment -> Nullable<Text>,
        territory -> Nullable<Text>,
        is_strategic -> Bool,
        lifecycle_stage -> Text,
        icp_fit_score -> Nullable<Int4>,
        icp_fit_tier -> Nullable<Text>,
        traits -> Jsonb,
        trait_times -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        name -> Text,
        prefix -> Text,
        key_hash -> Bytea,
        scopes -> Array<Nullable<Text>>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        created_by -> Nullable<Uuid>,
        review_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    assignments (id) {
        id -> Uuid,
        workspace_id -> Uuid,
        member_id -> Uuid,
        assigned_by -> Nullable<Uuid>,
        source -> Text,
        decision_id -> Nullable<Uuid>,
        assigned_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Int8,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        actor -> Text,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    catalog_versions (version) {
        version -> Int4,
        document -> Jsonb,
        reason -> Text,
        actor_id -> Nullable<Uuid>,
        actor -> Text,
        created_at -> Timestamptz,
        undefined_apart -> Bool,
    }
}

diesel::table! {
    contact_users (user_id) {
        user_id -> Uuid,
        contact_id -> Uuid,
    }
}

diesel::table! {
    contacts (id) {
        id -> Uuid,
        email -> Text,
        email_kind -> Text,
        domain -> Text,
    }
}

diesel::table! {
    dead_letter_attempts (replay_id, letter_id) {
        replay_id -> Uuid,
        letter_id -> Uuid,
        attempted_at -> Timestamptz,
        event_id -> Nullable<Uuid>,
        code -> Nullable<Text>,
        message -> Nullable<Text>,
    }
}

diesel::table! {
    dead_letters (id) {
        id -> Uuid,
        source_id -> Uuid,
        received_at -> Timestamptz,
        refused_by -> Text,
        code -> Text,
        message -> Text,
        message_id -> Nullable<Text>,
        event_name -> Nullable<Text>,
        person_id -> Nullable<Uuid>,
        raw -> Text,
        replayed_at -> Nullable<Timestamptz>,
        discarded_at -> Nullable<Timestamptz>,
        discard_reason -> Nullable<Text>,
        mended -> Nullable<Text>,
    }
}

diesel::table! {
    event_definitions (key) {
        key -> Text,
        label -> Text,
        category -> Text,
        is_key -> Bool,
        names -> Array<Nullable<Text>>,
        value_property -> Nullable<Text>,
        feature_property -> Nullable<Text>,
        milestone -> Nullable<Text>,
        muted_at -> Nullable<Timestamptz>,
        position -> Int4,
        conditions -> Jsonb,
    }
}

diesel::table! {
    event_name_days (source_id, name, received_on) {
        source_id -> Uuid,
        name -> Text,
        received_on -> Date,
        first_received_at -> Timestamptz,
        last_received_at -> Timestamptz,
        events -> Int8,
    }
}

diesel::table! {
    event_names (source_id, name) {
        source_id -> Uuid,
        name -> Text,
        first_received_at -> Timestamptz,
        last_received_at -> Timestamptz,
        events -> Int8,
    }
}

diesel::table! {
    group_calls (user_id, at, workspace_id, seq) {
        user_id -> Uuid,
        at -> Timestamptz,
        workspace_id -> Uuid,
        seq -> Int8,
    }
}

diesel::table! {
    identifiers (kind, value, user_id) {
        kind -> Text,
        value -> Text,
        user_id -> Uuid,
        first_seen_at -> Timestamptz,
        source_id -> Uuid,
        said_by -> Nullable<Text>,
    }
}

diesel::table! {
    identity_changes (id) {
        id -> Uuid,
        kind -> Text,
        person_id -> Uuid,
        other_id -> Uuid,
        reason -> Text,
        moved -> Jsonb,
        decided_by -> Nullable<Uuid>,
        decided_at -> Timestamptz,
        undone_by -> Nullable<Uuid>,
        undone_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    identity_claims (visitor_id, user_id, said_by) {
        visitor_id -> Uuid,
        user_id -> Uuid,
        said_by -> Text,
        said_at -> Timestamptz,
        source_id -> Uuid,
    }
}

diesel::table! {
    import_faults (import_id, line) {
        import_id -> Uuid,
        line -> Int8,
        message -> Text,
        cells -> Array<Nullable<Text>>,
    }
}

diesel::table! {
    import_mappings (kind, header_hash) {
        kind -> Text,
        header_hash -> Text,
        mapping -> Array<Nullable<Text>>,
        used_at -> Timestamptz,
    }
}

diesel::table! {
    import_parts (import_id, part) {
        import_id -> Uuid,
        part -> Int4,
        content -> Bytea,
    }
}

diesel::table! {
    imports (id) {
        id -> Uuid,
        kind -> Text,
        file_name -> Text,
        made_by -> Uuid,
        created_at -> Timestamptz,
        status -> Text,
        size_bytes -> Int8,
        encoding -> Text,
        delimiter -> Text,
        header -> Array<Nullable<Text>>,
        mapping -> Array<Nullable<Text>>,
        clears_blanks -> Bool,
        as_of -> Nullable<Timestamptz>,
        total_rows -> Nullable<Int8>,
        done_rows -> Int8,
        created -> Int8,
        updated -> Int8,
        unchanged -> Int8,
        rejected -> Int8,
        job_id -> Nullable<Int8>,
        finished_at -> Nullable<Timestamptz>,
        header_row -> Int4,
        encoding_sample -> Bytea,
    }
}

diesel::table! {
    inferred_events (user_id, occurred_at, id) {
        user_id -> Uuid,
        occurred_at -> Timestamptz,
        id -> Uuid,
        event_key -> Text,
        feature -> Text,
        value -> Nullable<Numeric>,
        workspace_id -> Nullable<Uuid>,
        payload -> Nullable<Jsonb>,
        received_on -> Date,
        seq -> Int8,
    }
}

diesel::table! {
    ingest_alerts (id) {
        id -> Uuid,
        kind -> Text,
        source_id -> Nullable<Uuid>,
        opened_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
        facts -> Jsonb,
        acknowledged_at -> Nullable<Timestamptz>,
        acknowledged_by -> Nullable<Uuid>,
        acknowledged_name -> Nullable<Text>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    ingest_measures (source_id, measure, minute, bucket) {
        source_id -> Uuid,
        measure -> Text,
        minute -> Timestamptz,
        bucket -> Int2,
        times -> Int8,
        highest -> Int8,
    }
}

diesel::table! {
    ingest_minutes (source_id, minute) {
        source_id -> Uuid,
        minute -> Timestamptz,
        accepted -> Int8,
        rejected -> Int8,
        duplicates -> Int8,
    }
}

diesel::table! {
    ingest_replays (id) {
        id -> Uuid,
        actor_id -> Nullable<Uuid>,
        actor -> Text,
        chosen -> Jsonb,
        letters -> Int8,
        started_at -> Timestamptz,
        beyond -> Nullable<Uuid>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    invites (token_hash) {
        token_hash -> Bytea,
        email -> Text,
        name -> Text,
        role -> Text,
        function -> Nullable<Text>,
        invited_by -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    jobs (id) {
        id -> Int8,
        kind -> Text,
        payload -> Jsonb,
        dedupe_key -> Nullable<Text>,
        run_at -> Timestamptz,
        attempts -> Int4,
        lease_until -> Nullable<Timestamptz>,
        done -> Int8,
        total -> Nullable<Int8>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        died_at -> Nullable<Timestamptz>,
        cancelled_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    journal (received_on, id) {
        received_on -> Date,
        id -> Int8,
        received_at -> Timestamptz,
        source_id -> Uuid,
        events -> Int4,
        payload -> Bytea,
    }
}

diesel::table! {
    journal_chunks (id) {
        id -> Int8,
        catalog -> Int4,
        journal_ids -> Array<Nullable<Int8>>,
        days -> Array<Nullable<Date>>,
        left_ids -> Array<Nullable<Int8>>,
        left_places -> Array<Nullable<Int4>>,
        rules -> Int4,
    }
}

diesel::table! {
    journal_pending (id) {
        id -> Int8,
        received_on -> Date,
        received_at -> Timestamptz,
        events -> Int4,
    }
}

diesel::table! {
    key_features (feature) {
        feature -> Text,
        first_seen_on -> Date,
    }
}

diesel::table! {
    key_events (workspace_id, occurred_at, id) {
        workspace_id -> Uuid,
        occurred_at -> Timestamptz,
        id -> Uuid,
        user_id -> Uuid,
        event_key -> Text,
        name -> Text,
        feature -> Text,
        value -> Nullable<Float8>,
        properties -> Jsonb,
        source_id -> Uuid,
        inferred -> Nullable<Text>,
    }
}

diesel::table! {
    known_devices (member_id, token_hash) {
        member_id -> Uuid,
        token_hash -> Bytea,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
    }
}

diesel::table! {
    membership_days (workspace_id, user_id, day) {
        workspace_id -> Uuid,
        user_id -> Uuid,
        day -> Date,
        role -> Nullable<Text>,
        role_at -> Nullable<Timestamptz>,
        role_seq -> Int8,
        persona -> Nullable<Text>,
        persona_at -> Nullable<Timestamptz>,
        persona_seq -> Int8,
        grouped_at -> Nullable<Timestamptz>,
        group_seq -> Int8,
        left_at -> Nullable<Timestamptz>,
        left_seq -> Int8,
    }
}

diesel::table! {
    membership_events (workspace_id, user_id, event_key, occurred_at, id) {
        workspace_id -> Uuid,
        user_id -> Uuid,
        event_key -> Text,
        occurred_at -> Timestamptz,
        id -> Uuid,
        invitation_source -> Nullable<Text>,
        invited_by -> Nullable<Text>,
    }
}

diesel::table! {
    membership_changes (user_id, at, workspace_id, is_left) {
        user_id -> Uuid,
        at -> Timestamptz,
        workspace_id -> Uuid,
        is_left -> Bool,
        seq -> Int8,
    }
}

diesel::table! {
    memberships (workspace_id, user_id) {
        workspace_id -> Uuid,
        user_id -> Uuid,
        role -> Nullable<Text>,
        role_at -> Nullable<Timestamptz>,
        persona -> Nullable<Text>,
        persona_source -> Nullable<Text>,
        joined_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
        last_active_at -> Nullable<Timestamptz>,
        first_group_at -> Nullable<Timestamptz>,
        last_group_at -> Nullable<Timestamptz>,
        invitation_source -> Nullable<Text>,
        invited_by -> Nullable<Text>,
        explicit_active_at -> Nullable<Timestamptz>,
        persona_at -> Nullable<Timestamptz>,
        role_seq -> Int8,
        persona_seq -> Int8,
        group_seq -> Int8,
        left_seq -> Int8,
    }
}

diesel::table! {
    merge_candidates (user_id, other_id) {
        user_id -> Uuid,
        other_id -> Uuid,
        reason -> Text,
        seen_at -> Timestamptz,
        decided_at -> Nullable<Timestamptz>,
        decision -> Nullable<Text>,
        confidence -> Int2,
        evidence -> Array<Nullable<Text>>,
        decided_on -> Nullable<Array<Nullable<Text>>>,
    }
}

diesel::table! {
    merge_evidence (user_id, other_id, kind, value) {
        user_id -> Uuid,
        other_id -> Uuid,
        kind -> Text,
        value -> Text,
        verified -> Bool,
        seen_at -> Timestamptz,
        source_id -> Uuid,
    }
}

diesel::table! {
    notifications (id) {
        id -> Uuid,
        member_id -> Uuid,
        kind -> Text,
        title -> Text,
        url -> Text,
        created_at -> Timestamptz,
        read_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    pool_members (pool_id, member_id) {
        pool_id -> Uuid,
        member_id -> Uuid,
        last_assigned_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    pools (id) {
        id -> Uuid,
        key -> Text,
        name -> Text,
        function -> Text,
    }
}

diesel::table! {
    plan_names (id) {
        id -> Bool,
        lists -> Nullable<Jsonb>,
        version -> Int4,
        applied_version -> Int4,
        changed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    product_users (id) {
        id -> Uuid,
        kind -> Text,
        external_id -> Text,
        canonical_id -> Uuid,
        linked_at -> Nullable<Timestamptz>,
        linked_by -> Nullable<Text>,
        email -> Nullable<Text>,
        email_kind -> Text,
        domain -> Nullable<Text>,
        name -> Nullable<Text>,
        job_title -> Nullable<Text>,
        seniority -> Nullable<Text>,
        department -> Nullable<Text>,
        traits -> Jsonb,
        trait_times -> Jsonb,
        first_seen_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        linked_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    refused_requests (id) {
        id -> Uuid,
        source_id -> Nullable<Uuid>,
        code -> Text,
        message -> Text,
        method -> Text,
        path -> Text,
        key_start -> Nullable<Text>,
        sender -> Nullable<Text>,
        requests -> Int8,
        first_at -> Timestamptz,
        last_at -> Timestamptz,
    }
}

diesel::table! {
    retention (single) {
        single -> Bool,
        journal_days -> Int4,
        key_event_days -> Int4,
        key_events_from -> Date,
        key_events_complete_from -> Date,
        forgotten_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    routing_decisions (id) {
        id -> Uuid,
        workspace_id -> Uuid,
        rule_set_version -> Int4,
        model_version -> Int4,
        score -> Int4,
        rule_name -> Text,
        destination -> Text,
        owner_id -> Nullable<Uuid>,
        unowned_reason -> Nullable<Text>,
        sla_hours -> Nullable<Int4>,
        trace -> Jsonb,
        facts -> Jsonb,
        decided_at -> Timestamptz,
    }
}

diesel::table! {
    routing_rule_sets (version) {
        version -> Int4,
        document -> Jsonb,
        created_by -> Text,
        created_at -> Timestamptz,
        published_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    schedules (name) {
        name -> Text,
        last_run_at -> Timestamptz,
    }
}

diesel::table! {
    rules_updates (version) {
        version -> Int4,
        noted_at -> Timestamptz,
        rebuild_job -> Nullable<Int8>,
        rescore_job -> Nullable<Int8>,
    }
}

diesel::table! {
    score_history (workspace_id, day) {
        workspace_id -> Uuid,
        day -> Date,
        score -> Int4,
        stage -> Text,
        categories -> Jsonb,
        model_version -> Int4,
        scored_on -> Date,
    }
}

diesel::table! {
    scoring_models (version) {
        version -> Int4,
        name -> Text,
        document -> Jsonb,
        base_version -> Nullable<Int4>,
        edits -> Int4,
        created_by -> Text,
        created_at -> Timestamptz,
        published_by -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    seen_messages (key) {
        key -> Uuid,
        received_on -> Date,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Bytea,
        member_id -> Nullable<Uuid>,
        state -> Jsonb,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        expires_at -> Timestamptz,
        user_agent -> Text,
        address -> Text,
    }
}

diesel::table! {
    setup_links (token_hash) {
        token_hash -> Bytea,
        created_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sign_in_attempts (id) {
        id -> Int8,
        subject -> Text,
        at -> Timestamptz,
    }
}

diesel::table! {
    sources (id) {
        id -> Uuid,
        name -> Text,
        environment -> Text,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    stage_changes (id) {
        id -> Uuid,
        workspace_id -> Uuid,
        from_stage -> Text,
        to_stage -> Text,
        score -> Int4,
        model_version -> Int4,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    stripe_customers (id) {
        id -> Text,
        name -> Nullable<Text>,
        email_domain -> Nullable<Text>,
        said_at -> Timestamptz,
        workspace_id -> Nullable<Uuid>,
        mapped_by -> Nullable<Uuid>,
        mapped_at -> Nullable<Timestamptz>,
        named_workspace -> Nullable<Text>,
        named_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    stripe_events (id) {
        id -> Text,
        endpoint_id -> Uuid,
        livemode -> Bool,
        created_at -> Timestamptz,
        #[sql_name = "type"]
        type_ -> Text,
        api_version -> Nullable<Text>,
        subscription_id -> Nullable<Text>,
        customer_id -> Nullable<Text>,
        key -> Text,
        payload -> Nullable<Jsonb>,
        received_at -> Timestamptz,
        secret_id -> Nullable<Uuid>,
        outcome -> Text,
    }
}

diesel::table! {
    stripe_subscriptions (id) {
        id -> Text,
        livemode -> Bool,
        customer_id -> Nullable<Text>,
        named_workspace -> Nullable<Text>,
        workspace_id -> Nullable<Uuid>,
        said_at -> Timestamptz,
        heard_at -> Timestamptz,
        invoiced_workspace -> Nullable<Text>,
        invoiced_at -> Nullable<Timestamptz>,
        session_workspace -> Nullable<Text>,
        session_reference -> Nullable<Text>,
        session_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    subscription_changes (subscription_id, at, key) {
        subscription_id -> Text,
        at -> Timestamptz,
        key -> Text,
        place -> Int2,
        status -> Text,
        plan -> Nullable<Text>,
        billing_period -> Nullable<Text>,
        currency -> Text,
        mrr_cents -> Int8,
        seats_purchased -> Nullable<Int4>,
        trial_start_on -> Nullable<Date>,
        trial_end_on -> Nullable<Date>,
        started_at -> Nullable<Timestamptz>,
        canceled_at -> Nullable<Timestamptz>,
        ends_on -> Nullable<Date>,
        renewal_on -> Nullable<Date>,
        flags -> Array<Nullable<Text>>,
        origin -> Text,
    }
}

diesel::table! {
    subscription_words (subscription_id, at) {
        subscription_id -> Text,
        at -> Timestamptz,
        workspace_id -> Uuid,
        said -> Jsonb,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Text,
        workspace_id -> Uuid,
        status -> Text,
        plan -> Nullable<Text>,
        billing_period -> Nullable<Text>,
        currency -> Text,
        mrr_cents -> Int8,
        seats_purchased -> Nullable<Int4>,
        trial_start_on -> Nullable<Date>,
        trial_end_on -> Nullable<Date>,
        started_at -> Nullable<Timestamptz>,
        canceled_at -> Nullable<Timestamptz>,
        renewal_on -> Nullable<Date>,
        origin -> Text,
        updated_at -> Timestamptz,
        customer_id -> Nullable<Text>,
        ends_on -> Nullable<Date>,
        flags -> Array<Nullable<Text>>,
    }
}

diesel::table! {
    tasks (id) {
        id -> Uuid,
        workspace_id -> Uuid,
        assignee_id -> Uuid,
        kind -> Text,
        title -> Text,
        payload -> Jsonb,
        priority -> Int4,
        due_at -> Nullable<Timestamptz>,
        decision_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        snoozed_until -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        completed_by -> Nullable<Uuid>,
        outcome -> Nullable<Text>,
        note -> Text,
    }
}

diesel::table! {
    team_members (id) {
        id -> Uuid,
        email -> Text,
        name -> Text,
        role -> Text,
        function -> Nullable<Text>,
        team -> Nullable<Text>,
        territories -> Array<Nullable<Text>>,
        capacity -> Int4,
        time_zone -> Text,
        work_starts -> Time,
        work_ends -> Time,
        work_days -> Array<Nullable<Int4>>,
        password_hash -> Nullable<Text>,
        theme -> Text,
        shortcuts -> Bool,
        created_at -> Timestamptz,
        deactivated_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    touched_workspaces (id) {
        id -> Int8,
        workspace_id -> Uuid,
        since_on -> Date,
        touched_at -> Timestamptz,
    }
}

diesel::table! {
    trait_days (subject_id, day) {
        subject_id -> Uuid,
        day -> Date,
        traits -> Jsonb,
        trait_times -> Jsonb,
    }
}

diesel::table! {
    unknown_event_names (source_id, name) {
        source_id -> Uuid,
        name -> Text,
        first_seen_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        events -> Int8,
    }
}

diesel::table! {
    usage_days (workspace_id, day, user_id, event_key, feature) {
        workspace_id -> Uuid,
        user_id -> Uuid,
        event_key -> Text,
        feature -> Text,
        day -> Date,
        events -> Int8,
        value -> Numeric,
        hours -> Numeric,
        first_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    visitor_memberships (workspace_id, user_id) {
        workspace_id -> Uuid,
        user_id -> Uuid,
        role -> Nullable<Text>,
        role_at -> Nullable<Timestamptz>,
        persona -> Nullable<Text>,
        persona_source -> Nullable<Text>,
        joined_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
        last_active_at -> Nullable<Timestamptz>,
        first_group_at -> Nullable<Timestamptz>,
        last_group_at -> Nullable<Timestamptz>,
        invitation_source -> Nullable<Text>,
        invited_by -> Nullable<Text>,
        explicit_active_at -> Nullable<Timestamptz>,
        persona_at -> Nullable<Timestamptz>,
        role_seq -> Int8,
        persona_seq -> Int8,
        group_seq -> Int8,
        left_seq -> Int8,
    }
}

diesel::table! {
    visits (user_id, workspace_id) {
        user_id -> Uuid,
        workspace_id -> Uuid,
        first_on -> Date,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> Uuid,
        endpoint_id -> Uuid,
        received_at -> Timestamptz,
        event_id -> Nullable<Text>,
        #[sql_name = "type"]
        type_ -> Nullable<Text>,
        outcome -> Text,
        reason -> Text,
        secret_id -> Nullable<Uuid>,
        times -> Int4,
    }
}

diesel::table! {
    webhook_endpoints (id) {
        id -> Uuid,
        kind -> Text,
        name -> Text,
        source_id -> Nullable<Uuid>,
        livemode -> Nullable<Bool>,
        created_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_ids (id) {
        id -> Uuid,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_secrets (id) {
        id -> Uuid,
        endpoint_id -> Uuid,
        secret -> Text,
        hint -> Text,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        created_by -> Nullable<Uuid>,
        review_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    workspace_scores (workspace_id) {
        workspace_id -> Uuid,
        as_of -> Date,
        model_version -> Int4,
        score -> Int4,
        stage -> Text,
        stage_since -> Timestamptz,
        score_1d -> Nullable<Int4>,
        score_7d -> Nullable<Int4>,
        lead_user_id -> Nullable<Uuid>,
        flags -> Array<Nullable<Text>>,
        reasons -> Array<Nullable<Text>>,
        next_best_action -> Nullable<Text>,
        card -> Jsonb,
        signals -> Jsonb,
        sparkline -> Array<Nullable<Int4>>,
        plan_tier -> Nullable<Text>,
        paid_status -> Nullable<Text>,
        trial_end_on -> Nullable<Date>,
        icp_fit_tier -> Nullable<Text>,
        wau -> Int4,
        member_count -> Int4,
        seats -> Int4,
        high_intent_14d -> Int4,
        last_active_at -> Nullable<Timestamptz>,
        scored_at -> Timestamptz,
        account_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    workspaces (id) {
        id -> Uuid,
        external_id -> Text,
        name -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        status -> Text,
        plan_tier -> Nullable<Text>,
        website -> Nullable<Text>,
        billing_domain -> Nullable<Text>,
        sso_domain -> Nullable<Text>,
        seats_purchased -> Nullable<Int4>,
        traits -> Jsonb,
        trait_times -> Jsonb,
        created_at -> Timestamptz,
        first_seen_at -> Timestamptz,
        website_domain -> Nullable<Text>,
    }
}

diesel::table! {
    write_keys (id) {
        id -> Uuid,
        source_id -> Uuid,
        prefix -> Text,
        key_hash -> Bytea,
        created_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        expires_at -> Nullable<Timestamptz>,
        for_servers -> Bool,
        created_by -> Nullable<Uuid>,
        review_since -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(absences -> team_members (member_id));
diesel::joinable!(account_domains -> accounts (account_id));
diesel::joinable!(account_links -> accounts (account_id));
diesel::joinable!(account_links -> team_members (pinned_by));
diesel::joinable!(account_owners -> team_members (member_id));
diesel::joinable!(api_keys -> team_members (created_by));
diesel::joinable!(audit_entries -> team_members (actor_id));
diesel::joinable!(dead_letter_attempts -> dead_letters (letter_id));
diesel::joinable!(dead_letter_attempts -> ingest_replays (replay_id));
diesel::joinable!(dead_letters -> sources (source_id));
diesel::joinable!(import_faults -> imports (import_id));
diesel::joinable!(import_parts -> imports (import_id));
diesel::joinable!(imports -> team_members (made_by));
diesel::joinable!(invites -> team_members (invited_by));
diesel::joinable!(notifications -> team_members (member_id));
diesel::joinable!(pool_members -> pools (pool_id));
diesel::joinable!(pool_members -> team_members (member_id));
diesel::joinable!(refused_requests -> sources (source_id));
diesel::joinable!(routing_decisions -> team_members (owner_id));
diesel::joinable!(sessions -> team_members (member_id));
diesel::joinable!(stripe_customers -> team_members (mapped_by));
diesel::joinable!(webhook_deliveries -> webhook_endpoints (endpoint_id));
diesel::joinable!(webhook_endpoints -> sources (source_id));
diesel::joinable!(webhook_secrets -> team_members (created_by));
diesel::joinable!(webhook_secrets -> webhook_endpoints (endpoint_id));
diesel::joinable!(write_keys -> sources (source_id));
diesel::joinable!(write_keys -> team_members (created_by));

diesel::allow_tables_to_appear_in_same_query!(
    absences,
    account_domains,
    account_links,
    account_owners,
    account_scores,
    accounts,
    api_keys,
    assignments,
    audit_entries,
    catalog_versions,
    contact_users,
    contacts,
    dead_letter_attempts,
    dead_letters,
    event_definitions,
    event_name_days,
    event_names,
    group_calls,
    identifiers,
    identity_changes,
    identity_claims,
    import_faults,
    import_mappings,
    import_parts,
    imports,
    inferred_events,
    ingest_alerts,
    ingest_measures,
    ingest_minutes,
    ingest_replays,
    invites,
    jobs,
    journal,
    journal_chunks,
    journal_pending,
    key_events,
    known_devices,
    key_features,
    membership_changes,
    membership_days,
    membership_events,
    memberships,
    merge_candidates,
    merge_evidence,
    notifications,
    pool_members,
    pools,
    plan_names,
    product_users,
    refused_requests,
    retention,
    routing_decisions,
    routing_rule_sets,
    rules_updates,
    schedules,
    score_history,
    scoring_models,
    seen_messages,
    sessions,
    setup_links,
    sign_in_attempts,
    sources,
    stage_changes,
    stripe_customers,
    stripe_events,
    stripe_subscriptions,
    subscription_changes,
    subscription_words,
    subscriptions,
    tasks,
    team_members,
    touched_workspaces,
    trait_days,
    unknown_event_names,
    usage_days,
    visitor_memberships,
    visits,
    webhook_deliveries,
    webhook_endpoints,
    webhook_ids,
    webhook_secrets,
    workspace_scores,
    workspaces,
    write_keys,
);
