#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN is_real_pve load_pve dirty error_of put_file get_file scfg set_config);
use PVE::Storage::OntapNvmeTcp::Schema;
use SimTest qw(start_array storage);

# Sections and secrets of the plugin that had this storage type before, and a disk of its, are served as
# they are. What else it leaves on an array: tests/fault/takeover_test.cc.
my $sim = start_array();
load_pve();

my sub rows {
    my ($tests) = __FILE__ =~ m{\A(.*)/perl/[^/]+\z};
    my $file = ($tests // 'tests') . '/tables/predecessor-settings.tsv';
    open(my $table, '<', $file) or die "$file: $!\n";
    my @rows;
    while (defined(my $line = readline($table))) {
        next if $line =~ /\A(?:#|\s*\z)/;
        chomp($line);
        my %row;
        @row{qw(setting then example)} = split(/\t/, $line);
        push(@rows, \%row);
    }
    return @rows;
}

my @rows = rows();
my %example = map { $_->{setting} => $_->{example} } grep { $_->{example} !~ /\Asecret / } @rows;
my %suffix = map { $_->{example} =~ /\Asecret (.*)/ ? ($_->{setting} => $1) : () } @rows;

subtest 'every setting is there, and means what it meant' => sub {
    my $options = PLUGIN->options();
    my %property = PLUGIN->properties()->%*;
    for my $row (@rows) {
        my $name = $row->{setting};
        ok($options->{$name}, "$name is an option");
        next if $row->{then} eq '-' || $name eq 'verify_ssl';
        is($property{$name}{default}, $row->{then}, "$name by default");
    }
    is($property{verify_ssl}{default}, 1, 'but certificates are verified');
    my $sensitive = PLUGIN->plugindata()->{'sensitive-properties'};
    is_deeply([sort(keys($sensitive->%*))], [sort(keys(%suffix))], 'secrets are secrets');
};

subtest 'sections with all of it are read' => sub {
    for my $left_out (qw(qos_policy adaptive_qos_policy)) {
        my %section = %example;
        delete($section{$left_out});
        my $read = PLUGIN->check_config('old', { %section, content => 'images' }, 1, 1);
        is($read->{$_}, $section{$_}, "$_ is kept") for sort(keys(%section));
        ok(eval { PVE::Storage::OntapNvmeTcp::check_settings('old', $read); 1 },
            'the library takes all of it') or diag($@);
    }
};

subtest 'Proxmox VE keeps the section when it writes its file' => sub {
    plan(skip_all => 'PVE_PERL5LIB does not name the modules of Proxmox VE') if !is_real_pve();
    my %section = %example;
    delete($section{adaptive_qos_policy});
    my $text = join("\n", 'ontapnvme: old', (map { "\t$_ $section{$_}" } sort(keys(%section))),
        "\tcontent images", "\tshared 1", '', '');
    my $warned = '';
    local $SIG{__WARN__} = sub ($warning) { $warned .= $warning };
    my $config = PVE::Storage::Plugin->parse_config('storage.cfg', $text);
    my $again = PVE::Storage::Plugin->write_config('storage.cfg', $config);
    like($again, qr/^\t\Q$_ $section{$_}\E$/m, $_) for sort(keys(%section));
    is($warned, '', 'without a word');
};

subtest 'every secret is found in its file' => sub {
    put_file("storage/old.$suffix{$_}", "secret of $_") for keys(%suffix);
    my $secrets = PVE::Storage::OntapNvmeTcp::Secrets::load('old');
    is_deeply($secrets, { map { $_ => "secret of $_" } keys(%suffix) }, 'all of them');
};

# Not added anew: the section and the password are there.
my $scfg = storage($sim, 'old');
put_file('storage/old.' . $_, '') for qw(dhchap dhchapc tlspsk);
put_file('storage/old.pw', 'secret');
set_config({ old => $scfg });
$scfg = dirty($scfg);

my sub admin ($method, $target, $body) {
    my $reply = $sim->admin($method, $target, $body);
    cmp_ok($reply->{status}, '<', 300, "$method $target") or diag(explain($reply));
    return;
}

my sub make_disk ($flexvol) {
    my $svm = { name => 'svm1' };
    admin('POST', '/api/storage/volumes',
        { svm => $svm, name => $flexvol, size => 40 << 20, aggregates => [{ name => 'aggr1' }] });
    admin('POST', '/api/storage/namespaces', { svm => $svm, name => "/vol/$flexvol/$flexvol",
        os_type => 'linux', space => { size => 32 << 20 } });
    return;
}

subtest 'a section that relied on unverified certificates says what to do' => sub {
    my $ca = get_file('storage/old.ca.pem');
    unlink(HookTest::priv_dir() . '/storage/old.ca.pem');
    like(error_of(sub { PLUGIN->list_images('old', $scfg) }), qr/old\.ca\.pem|verify_ssl/,
        'the error names the way out');
    is(PLUGIN->check_connection('old', $scfg), 0, 'it is not online');
    like(scalar(PLUGIN->path($scfg, 'vm-100-disk-0', 'old')), qr{/old/vm-100-disk-0\z},
        'paths are answered all the same');
    my $unverified = dirty({ $scfg->%*, verify_ssl => 0 });
    set_config({ old => $unverified });
    is_deeply(PLUGIN->list_images('old', $unverified), [], 'as it was, with verify_ssl 0');
    set_config({ old => $scfg });
    put_file('storage/old.ca.pem', $ca);
};

subtest 'its disks are listed, found and kept' => sub {
    make_disk('vm_100_disk_0');
    make_disk('vm_100_state_before_upgrade');
    my $listed = PLUGIN->list_images('old', $scfg);
    is_deeply([sort(map { $_->{volid} } $listed->@*)],
        ['old:vm-100-disk-0', 'old:vm-100-state-before_upgrade'], 'by name');
    for my $name (qw(vm-100-disk-0 vm-100-state-before-upgrade)) {
        is((PLUGIN->volume_size_info($scfg, 'old', $name))[0], 32 << 20, "the size of $name");
    }
    like(error_of(sub { PLUGIN->on_delete_hook('old', $scfg) }), qr/\[busy\b/,
        'the storage is not removed');
    is(get_file('storage/old.pw'), 'secret', 'nor its password');
    is(scalar(PLUGIN->list_images('old', $scfg)->@*), 2, 'nor its disks');
};

subtest 'a linked clone whose base image was lost from its name has one path' => sub {
    my ($with) = PLUGIN->path($scfg, 'base-200-disk-0/vm-203-disk-0', 'old');
    my ($without) = PLUGIN->path($scfg, 'vm-203-disk-0', 'old');
    is($with, $without, 'by which Proxmox VE sees that the disk is in use');
};

done_testing();
