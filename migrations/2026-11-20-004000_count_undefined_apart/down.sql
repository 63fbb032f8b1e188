alter table catalog_versions drop column undefined_apart;
