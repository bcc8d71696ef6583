-- The book with its volumes trimmed to the room that the caps left.
create or replace temp table trimmed_book as
select
  book.*,
  case walked.outcome
    when 'whole' then walked.asked
    when 'marginal' then walked.left_before
    else 0
  end as trimmed_milli_ft3,
  walked.outcome = 'dropped' as is_passed_over
from book
inner join walked on book.seller_market = walked.walk and book.place = walked.item;
