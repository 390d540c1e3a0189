"""Approval by a second engineer, before the run: the plan as a file, what an approver signs, and who may sign."""
