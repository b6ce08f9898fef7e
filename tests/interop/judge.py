"""Judges a volume that Moorage wrote with the independent readers of the fixtures.

    judge.py FIXTURES VOLUME_DIR [walk.json]

VOLUME_DIR holds meta.db and objects/; walk.json is what the mount showed, if there was one. Prints one line per difference.
"""
import json
import os
import sys

fixtures, volume = sys.argv[1:3]
walk = sys.argv[3] if len(sys.argv) > 3 else None
sys.path.insert(0, fixtures)
sys.argv = sys.argv[:1]
import check_volume  # noqa: E402
import read_volume  # noqa: E402

# The checker expects what the original counts wrongly in these directories; Moorage counts them right.
check_volume.DRIFT.clear()
read_volume.BUCKET_ROOT = os.path.abspath(volume) + "/"


class Judge(check_volume.Check):
    def __init__(self):
        self.name = "moorage"
        self.dir = os.path.abspath(volume)
        self.v = check_volume.Volume(self.dir)
        self.x = json.load(open(walk)) if walk else {}
        self.bad, self.known = [], []


judge = Judge()
for claim in (judge.namespace, judge.data) + ((judge.manifest,) if walk else ()):
    claim()
for message in judge.bad:
    print(message[:600])
paths = "%d paths, " % judge.nfiles if walk else ""
print("%s%d objects, %d slices, %d differences" % (paths, judge.nobjects, len(judge.v.refs), len(judge.bad)))
sys.exit(1 if judge.bad else 0)
