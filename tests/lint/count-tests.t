#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tools/count-tests counts what ctest prints, and takes nothing unknown for a success.
use v5.36;

use File::Basename qw(dirname);
use File::Temp qw(tempfile);
use Test::More;

my $counter = dirname(__FILE__) . '/../../tools/count-tests';

my sub count (@lines) {
    my ($fh, $path) = tempfile(UNLINK => 1);
    print $fh map { "$_\n" } @lines;
    close($fh) or die "cannot write '$path': $!\n";
    my $counted = qx{$^X $counter $path};
    return $counted =~ s/\n\z//r;
}

is(count(), '0 0', 'an empty log holds no test');
is(count('No tests were found!!!'), '0 0', 'nor does a run that found none');
my %outcomes = (
    '   Passed    0.01 sec'                   => '1 0',
    '***Failed    0.01 sec'                   => '0 1',
    '***Timeout 600.02 sec'                   => '0 1',
    '***Exception: SegFault  0.10 sec'        => '0 1',
    'Subprocess aborted***Exception:   0.1 s' => '0 1',
    '***Not Run   0.00 sec'                   => '0 1',
    '***Skipped   0.01 sec'                   => '0 0',
    '***Not Run (Disabled)   0.00 sec'        => '0 0',
);
for my $outcome (sort(keys(%outcomes))) {
    my $line = ' 3/20 Test  #7: RetryTest.GivesUp ..........' . $outcome;
    is(count($line), $outcomes{$outcome}, "counts '$outcome'");
}
is(
    count(
        '    Start 1: a', '1/3 Test #1: a ........   Passed    0.01 sec',
        '2/3 Test #2: b: with words ...***Failed  0.02 sec',
        '3/3 Test #3: ' . 'long' x 40 . ' ...   Passed    0.02 sec',
        'some output of a test: 9 passed, 9 failed',
    ),
    '2 1',
    'counts a whole run, and not what tests print',
);
done_testing();
