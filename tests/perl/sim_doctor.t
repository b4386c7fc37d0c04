#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN error_of put_file);
use NodeTree qw(healthy_node write_node TARGET);
use SimTest qw(start_array added_storage requests);
use PVE::Storage::OntapNvmeTcp::Checks::Cluster qw(compare_nodes);
use PVE::Storage::OntapNvmeTcp::Checks::Node qw(node_checks);
use PVE::Storage::OntapNvmeTcp::Checks::Storage qw(storage_checks);

# The checks of a storage through the real library to the simulator, on a node whose kernel a folder of
# files stands for.
my $sim = start_array();
my $scfg = added_storage($sim, 'store');
healthy_node();
# The simulator's own ends within days.
$PVE::Storage::OntapNvmeTcp::Checks::Storage::end_of_certificate = sub { return time() + 365 * 86_400 };
PLUGIN->alloc_image('store', $scfg, 100, 'raw', undef, 4096);

my sub complaints {
    return [
        map { $_->{outcome} =~ /\A(?:warn|fail)\z/ ? "$_->{check} $_->{outcome}" : () }
            storage_checks('store', $scfg)
    ];
}

is_deeply(complaints(), [], 'a healthy storage gives no warning');
my $changes = sub { scalar(grep { $_->{method} ne 'GET' } $sim->log()) };
$sim->clear_log();
my $asked = requests($sim, sub { complaints() });
is($changes->(), 0, 'and nothing is changed');
cmp_ok($asked, '<=', 23, "by few requests: $asked");

subtest 'what the documentation says of it' => sub {
    my ($root) = $INC{'SimTest.pm'} =~ m{\A(.*)/tests/perl/lib/};
    my $text = sub ($name) {
        open(my $file, '<', "$root/$name") or die "cannot read '$name': $!\n";
        return join('', readline($file));
    };
    my %seen;
    my @of_storage = grep { !$seen{$_}++ } map { $_->{check} } storage_checks('store', $scfg);
    my @checks = ((map { $_->{check} } node_checks()), 'node', (map { $_->{check} } compare_nodes()), @of_storage);
    is_deeply([$text->('docs/checks.md') =~ /^\| `([a-z-]+)` \|/mg], \@checks, 'docs/checks.md has all checks, in order');
    my ($manual) = $text->('man/ontapnvme.pod') =~ /^=head1 CHECKS$(.*?)^=head1/ms;
    my @items = map { /B<([a-z-]+)>/g } $manual =~ /^=item (.*)$/mg;
    is_deeply([sort(@items)], [sort(@checks)], 'as has the manual');
    my $number = @checks - 1 - (() = compare_nodes());
    like($text->($_), qr/makes $number checks/, "$_ says how many") for qw(CHANGELOG.md docs/first-hour.md);
};

subtest 'a right that is missing' => sub {
    for my $of (qw(volumes namespaces)) {
        $sim->set(permissions => { admin => ["GET /api/storage/$of"] });
        is_deeply(complaints(), ["right-$of fail"], $of);
    }
    $sim->set(permissions => { admin => [] });
};

subtest 'an account that is refused' => sub {
    put_file('storage/store.pw', "wrong\n");
    is_deeply(complaints(), ['account fail'], 'is one line');
    my ($result) = grep { $_->{check} eq 'account' } storage_checks('store', $scfg);
    unlike($result->{text}, qr/wrong\b.*password=|secret/, 'without a password');
    put_file('storage/store.pw', "secret\n");
    is_deeply(complaints(), [], 'and none when it is accepted again');
};

subtest 'what an interrupted task has left' => sub {
    $sim->fault(method => 'POST', path => '/storage/namespaces', status => 500, times => -1);
    $sim->fault(method => 'DELETE', path => '/storage/volumes', status => 500, times => -1);
    error_of(sub { PLUGIN->alloc_image('store', $scfg, 101, 'raw', undef, 4096) });
    $sim->clear_faults();
    is_deeply(complaints(), [], 'is nothing yet: a task may be at work on it');
    $sim->ctl({ cmd => 'age', seconds => 7200 });
    is_deeply(complaints(), ['left-overs warn'], 'is told after an hour');
};

subtest 'an array that is gone' => sub {
    $sim->stop();
    is_deeply(complaints(), ['array fail'], 'is one line');
    write_node('/sys/class/nvme/nvme1/state', 'connecting');
    is_deeply(complaints(), ['array fail', 'path warn'], 'beside what the node itself sees');
};

done_testing();
