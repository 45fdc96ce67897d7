"""The step on several ranks beside the best that one process does: who takes turns, and what each rank does in a step.

scale_question   what is asked, and the cases and participants that it comes to
parts_of_step    in a process of its own: how long ranks compute in a step, and how long they wait
far_ranks        ranks that torchrun started elsewhere
hosts            torchrun, started on several hosts
scale_timed      all of it, timed, as reports take it
"""
