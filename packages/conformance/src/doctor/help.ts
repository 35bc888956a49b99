/** What `gradstep doctor --help` prints. */
export const help = `Usage: gradstep doctor [options]

Says which of gradstep's backends this machine has, and how to get the others.
Checks each against the reference in f64, checks that the check notices bugs,
and compares the speed of the backends with a loop.

Options
  --backend <name>  only this backend; may be repeated
  --cases <n>       random cases per rule, default 8, or 50 with --full
  --full            every check of the conformance suite and every mutant,
                    not the bounds of the rules alone; takes ten minutes
                    to an hour
  --no-speed        measure nothing
  --seed <n>        seed of the random cases, default 1
  --json <file>     write all results to a file
  --help            print this text

Ctrl-C stops it and prints the results so far. A second Ctrl-C quits at once.

Exit status: 0 every backend that is here is right; 1 one is wrong, one of
--backend is missing, or the file could not be written; 2 the command was not
understood; 130 stopped by Ctrl-C.
`;
