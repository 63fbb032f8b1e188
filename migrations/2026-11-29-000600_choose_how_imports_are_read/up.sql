alter table imports
    add column header_row integer not null default 0 constraint imports_header_row check (header_row between 0 and 99),
    add column encoding_sample bytea not null default '';
comment on column imports.header_row is 'Rows above the one that names the columns, such as a title; blank ones are not counted.';
comment on column imports.encoding_sample is 'Cells of the file that are not plain ASCII, as their bytes, each on a line: shown in every encoding to choose from.';
alter table imports drop constraint imports_encoding;
alter table imports add constraint imports_encoding check (encoding in (
    'utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'windows-1250', 'iso-8859-2', 'windows-1251', 'koi8-u', 'windows-1253',
    'windows-1254', 'macintosh', 'shift_jis', 'euc-jp', 'gb18030', 'big5', 'euc-kr'));
