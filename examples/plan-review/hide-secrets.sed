# Masks the parts of a plan's URLs that may be secret, for the log, the summary and the comment:
#
#   terraform plan 2>&1 | sed -E -f hide-secrets.sed
#
# These are the user information, the query and the fragment. Host and path stay.
s,(://)[^/?#"[:space:]]*@,\1***@,g
s,(://[^?#"[:space:]]*[?#])([^"\\[:space:]]|\\.)+,\1***,g
