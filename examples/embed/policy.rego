package policy

default allow := false

# The owner of a document may read it; an administrator may do anything.
allow if {
	input.action == "read"
	input.user == input.document.owner
}

allow if input.user in data.administrators
