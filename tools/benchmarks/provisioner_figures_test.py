"""A figure is a figure of what was completed."""

import unittest

from benchmarks import provisioner_figures


class PeerCrowdTest(unittest.TestCase):

    def test_without_a_peer_the_recorded_figure_counts(self):
        seconds, shown = provisioner_figures.peer_crowd(None, None)
        self.assertEqual(provisioner_figures.RECORDED_CROWD, seconds)
        self.assertIn("recorded", shown)

    def test_a_peer_that_fails_at_once_is_not_faster(self):
        seconds, shown = provisioner_figures.peer_crowd("peer", lambda peer: (None, 0))
        self.assertEqual(provisioner_figures.RECORDED_CROWD, seconds)
        self.assertIn("all 100 FAILED", shown)

    def test_a_peer_is_shown_with_what_it_completed(self):
        self.assertEqual((4.5, "4.50 s, 77 of 100 complete"), provisioner_figures.peer_crowd("peer", lambda peer: (4.5, 77)))


if __name__ == "__main__":
    unittest.main()
