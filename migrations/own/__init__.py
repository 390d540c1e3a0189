"""What gonogo keeps in a target for itself: who applied what, heads of journals, approvals that are used up."""
