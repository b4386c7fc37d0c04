#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use File::Temp qw(tempdir);
use Test::More;

use CommandTest qw(program);

# The files that the shells read, in the shells themselves. What may come next is Proxmox VE's to say.
my $folder = program() =~ s{/ontapnvme\z}{/completion}r;
my ($scratch) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
$ENV{PATH} = "$scratch:/usr/bin:/bin";
delete(@ENV{qw(IFS CDPATH ENV BASH_ENV)});

# In the program's place: what it is called with.
open(my $program, '>', "$scratch/ontapnvme") or die "cannot write: $!\n";
print {$program} qq{#!/bin/sh\necho "\$* in \$COMP_LINE at \$COMP_POINT" | tr ' ' '_'\n};
close($program) or die "cannot write: $!\n";
chmod(0755, "$scratch/ontapnvme");

my sub output (@command) {
    local $ENV{PATH} = '/usr/bin:/bin';
    my $pid = open(my $output, '-|') // die "fork: $!\n";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        $ENV{PATH} = "$scratch:/usr/bin:/bin";
        exec({ $command[0] } @command) or die "exec: $!\n";
    }
    local $/;
    my $text = readline($output) // '';
    close($output);
    return $text;
}

subtest 'bash' => sub {
    plan(skip_all => 'there is no bash') if !-x '/bin/bash';
    is(
        output('/bin/bash', '-c', qq{. "$folder/ontapnvme" && complete -p ontapnvme && echo "\${COMP_WORDBREAKS//[^:]}"}),
        "complete -o default -C 'ontapnvme bashcomplete' ontapnvme\n\n",
        'asks the program, and does not end words at colons',
    );
};

subtest 'zsh' => sub {
    my ($zsh) = grep { -x } qw(/bin/zsh /usr/bin/zsh);
    plan(skip_all => 'there is no zsh') if !$zsh;
    is(
        output($zsh, '-fc', <<~"END"),
            compadd() { print -l -- "\${@[2,-1]}" }
            . "$folder/_ontapnvme"
            words=(ontapnvme pending a); _ontapnvme
            END
        "bashcomplete_ontapnvme_a_pending_in_ontapnvme_pending_a_at_19\n",
        'asks the program with the line and the words',
    );
};

done_testing();
