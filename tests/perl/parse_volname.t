#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN dirty is_clean error_of);

my sub rows {
    my ($tests) = __FILE__ =~ m{\A(.*)/perl/[^/]+\z};
    my $file = ($tests // 'tests') . '/tables/volnames.tsv';
    open(my $table, '<', $file) or die "$file: $!\n";
    my @rows;
    while (defined(my $line = readline($table))) {
        next if $line =~ /\A(?:#|\s*\z)/;
        chomp($line);
        my %row;
        @row{qw(text valid kind vmid rest base flexvol)} = split(/\t/, $line);
        $row{text} =~ s/\\x([0-9a-f]{2})/chr(hex($1))/ge;
        push(@rows, \%row);
    }
    return @rows;
}

my @rows = rows();
my $valid = grep { $_->{valid} eq 'yes' } @rows;
cmp_ok($valid, '>', 50, 'the table has valid names');
cmp_ok(@rows - $valid, '>', 40, 'the table has names that are none');

for my $row (@rows) {
    my $name = dirty($row->{text});
    my $shown = $row->{text} =~ s/([^\x20-\x7e])/sprintf('\\x%02x', ord($1))/ger;
    if ($row->{valid} eq 'no') {
        my $error = error_of(sub { PLUGIN->parse_volname($name) },
            "'$shown' is refused in one line");
        like($error, qr/\S \[invalid-argument\]\n\z/, "'$shown': the code");
        next;
    }
    my @parsed = PLUGIN->parse_volname($name);
    my ($base, $base_vmid) = $row->{base} eq '-' ? () : ($row->{base},
        $row->{base} =~ /\Abase-([0-9]+)-/);
    is_deeply(
        \@parsed,
        ['images', "$row->{kind}-$row->{vmid}-$row->{rest}", $row->{vmid}, $base, $base_vmid,
            $row->{kind} eq 'base' ? 1 : 0, 'raw'],
        "'$shown' is parsed",
    );
    ok(is_clean(\@parsed), "'$shown': what comes out is clean");
}

error_of(sub { PLUGIN->parse_volname(undef) }, 'no name is refused in one line');

subtest 'two names of the table share a FlexVol only when they are one volume' => sub {
    my %leaf_of;
    for my $row (grep { $_->{valid} eq 'yes' && $_->{flexvol} ne 'too-long' } @rows) {
        my $leaf = (PLUGIN->parse_volname($row->{text}))[1];
        is($leaf_of{ $row->{flexvol} } //= $leaf, $leaf, $row->{flexvol});
    }
};

done_testing();
