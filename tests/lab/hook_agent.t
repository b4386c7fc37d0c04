#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# What hook_agent promises, asked on this machine without any guest.
use v5.36;

use Cwd            qw(abs_path);
use File::Basename qw(dirname);
use IPC::Open3     qw(open3);
use JSON::PP       qw(decode_json encode_json);
use Symbol         qw(gensym);
use Test::More;

my $here       = abs_path(dirname(__FILE__));
my $complaints = gensym();

my sub start_agent ($class) {
    my $pid =
        open3(my $in, my $out, $complaints, $^X, '-T', "$here/hook_agent", $class, "$here/lib");
    $in->autoflush(1);
    return ($pid, $in, $out);
}

my ($pid, $in, $out) = start_agent('Lab::Test::Plugin');

my sub reply () { return decode_json(scalar(readline($out))) }

my sub ask (%request) {
    print $in encode_json(\%request), "\n";
    return reply();
}

alarm(60);    # the whole test takes a second; a lost reply must not hang the suite

is(reply()->{ok}, 1, 'the first line says that the class is loaded');

subtest 'state lives between calls, but a fresh process has its own' => sub {
    is(ask(method => 'count')->{result}[0],             1, 'first call');
    is(ask(method => 'count', fresh => 1)->{result}[0], 2, 'a fork starts from here');
    is(ask(method => 'count')->{result}[0],             2, 'and leaves nothing here');
    my ($own, $fresh) = map { ask(method => 'process', fresh => $_)->{result}[0] } 0, 1;
    is($own, $pid, 'an ordinary call is made in the agent');
    isnt($fresh, $pid, 'a fresh call is not');
};

subtest 'the caller chooses the context' => sub {
    is_deeply(ask(method => 'context', context => 'list')->{result},
        [qw(list of four words)], 'list');
    is_deeply(ask(method => 'context', context => 'scalar')->{result}, ['scalar'], 'scalar');
};

subtest 'arguments arrive whole and tainted' => sub {
    is(ask(method => 'is_tainted', args => ['text'])->{result}[0], 1, 'tainted');
    my $odd = [undef, 5, {a => [1]}, "\x{e4}\n\x{20ac}"];
    is_deeply(ask(method => 'echo', args => $odd, context => 'list')->{result}, $odd, 'whole');
};

subtest 'errors come back as they were thrown' => sub {
    is(ask(method => 'refuse')->{error},                   "storage 'x': no\n", 'text unchanged');
    is(ask(method => 'refuse_with_object')->{error_class}, 'Lab::Test::Error', 'an object is told');
    like(ask(method => 'missing')->{error}, qr/Can't locate object method/, 'no such method');
};

subtest 'warnings are collected, and prints are no replies' => sub {
    my $reply = ask(method => 'warn_and_print');
    is_deeply($reply->{warnings}, ["careful\n"], 'the warning');
    is($reply->{result}[0],           'done',                 'the result');
    is(scalar(readline($complaints)), "on standard output\n", 'the print went to standard error');
};

subtest 'a call can be limited, and one that kills its process is told' => sub {
    is(ask(method => 'linger', alarm => 1)->{error}, "got timeout\n", 'limited');
    like(ask(method => 'vanish', fresh => 1)->{error}, qr/ended with status 9/, 'killed');
    is(ask(method => 'context')->{ok}, 1, 'the agent goes on');
};

subtest 'a worker is one task: it has its state for itself, and leaves nothing' => sub {
    my ($before, $worker) =
        (ask(method => 'count')->{result}[0], ask(worker => 'begin')->{result}[0]);
    isnt($worker, $pid, 'it is another process');
    is(ask(method => 'process')->{result}[0], $worker,      'which serves what follows');
    is(ask(method => 'count')->{result}[0],   $before + $_, "call $_ of it") for 1, 2;
    is(ask(worker => 'end')->{ok},            1,            'it ends when told');
    is(ask(method => 'process')->{result}[0], $pid,         'and the agent goes on');
    is(ask(method => 'count')->{result}[0],   $before + 1,  'from where it was');
    like(ask(worker => 'end')->{error}, qr/no such worker/, 'nothing is left to end');
    ask(worker => 'begin');
    like(ask(method => 'vanish')->{error}, qr/worker ended with status 9/, 'a killed one is told');
};

print $in "no JSON\n";
like(reply()->{error}, qr/no JSON object/, 'a bad line is refused');

close($in);
waitpid($pid, 0);
is($?, 0, 'it ends with its input');

($pid, $in, $out) = start_agent('Lab::Test::Nothing');
like(reply()->{error}, qr/Can't locate/, 'a class that does not load is told');
waitpid($pid, 0);
isnt($?, 0, 'and ends the agent');

done_testing();
