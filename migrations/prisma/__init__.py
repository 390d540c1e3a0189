"""The team's own Prisma command in place of our native apply: found, led to reviewed bytes, watched, judged."""
