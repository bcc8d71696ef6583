-- What the passes of a walk write to: the items that were decided, and the members that shared.
create or replace temp table walked (
  walk bigint, item bigint, asked hugeint, left_before hugeint, outcome varchar
);

create or replace temp table shared (
  walk bigint, place bigint, granted hugeint, is_dropped boolean
);
