"""What a report rests on, written into it, and what of that can be checked later.

It finds accidents (a report of other code, a file that was edited or cut, a kit that was changed), not forgery: whoever
writes the report can write its digest too.
"""
