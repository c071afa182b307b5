"""What each kind of row in the work table means: one module a subject, one function a kind.

Two sorts of functions: *steps* only read and write the database, inside the transaction that ends their row;
*errands* call WhatsApp or the tracker first and hand back what to write when the row ends.
"""
