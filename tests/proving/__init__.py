"""Puts claims to a real server: what it holds, reads, writes anew and refuses is compared with what is claimed."""
