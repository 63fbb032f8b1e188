update imports set encoding = 'windows-1252' where encoding not in ('utf-8', 'utf-16le', 'utf-16be', 'windows-1252');
alter table imports drop constraint imports_encoding;
alter table imports add constraint imports_encoding check (encoding in ('utf-8', 'utf-16le', 'utf-16be', 'windows-1252'));
alter table imports drop column encoding_sample, drop column header_row;
