#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN is_real_pve load_pve perl_output);

load_pve();

my @secrets = qw(nvme_dhchap_ctrl_secret nvme_dhchap_secret nvme_tls_psk password);
my @fixed = qw(mgmt_ip subsystem username);
my @required = (qw(aggregate vserver), @fixed);

subtest 'type and plugin data' => sub {
    is(PLUGIN->type(), 'ontapnvme', 'type');
    my $data = PLUGIN->plugindata();
    is_deeply([sort(keys($data->{content}[0]->%*))], [qw(images import none rootdir)],
        'content it can have');
    is_deeply($data->{content}[1], { images => 1 }, 'content it has by default');
    is_deeply($data->{format}, [{ raw => 1 }, 'raw'], 'raw devices only');
    is_deeply([sort(keys($data->{'sensitive-properties'}->%*))], \@secrets,
        'what never stands in storage.cfg');
    ok(!exists($data->{'isolate-properties'}), 'borrowed names stay usable');
};

subtest 'options' => sub {
    my $options = PLUGIN->options();
    is_deeply([grep { $options->{$_}{fixed} } sort(keys($options->%*))], \@fixed, 'fixed');
    is_deeply([sort(grep { !$options->{$_}{optional} } keys($options->%*))], [sort(@required)],
        'all others are optional: a section without them must stay readable');
    ok($options->{$_}{optional}, "$_ is Proxmox VE's") for qw(content nodes disable shared);
    ok(!$options->{path}, 'no path: Proxmox VE would take the storage for a folder');
};

subtest 'every option is declared, and the schema holds' => sub {
    my $known = PVE::Storage::Plugin->private()->{propertyList};
    ok($known->{$_}, $_) for sort(keys(PLUGIN->options()->%*));
    my $properties = PLUGIN->properties();
    for my $name (sort(keys($properties->%*))) {
        like($properties->{$name}{type}, qr/\A(?:string|integer|boolean)\z/, "$name has a type");
        ok(length($properties->{$name}{description}), "$name is described");
    }
};

subtest 'a section is shared unless it says otherwise' => sub {
    my %section = map { $_ => 'x' } @required;
    is(PLUGIN->check_config('s', {%section}, 1, 1)->{shared}, 1, 'a new one, or one that is read');
    is(PLUGIN->check_config('s', { %section, shared => 0 }, 1, 1)->{shared}, 0,
        'an explicit 0 stays');
    is(PLUGIN->check_config('s', { %section, shared => 1 }, 1, 1)->{shared}, 1,
        'an explicit 1 stays');
    my $update = PLUGIN->check_config('s', { verify_ssl => 0 }, 0, 1);
    ok(!exists($update->{shared}), 'an update of something else does not touch it');
    ok(!grep({ $_ eq 'ontapnvme' } @PVE::Storage::Plugin::SHARED_STORAGE),
        'the list that would override a 0 does not have the type');
    ok(!eval { PLUGIN->check_config('s', {}, 1, 1); 1 }, 'required settings are required');
    ok(!eval { PLUGIN->check_config('s', { subsystem => 'x' }, 0, 1); 1 },
        'fixed settings are fixed');
    ok(eval { PLUGIN->check_config('s', { vserver => 'x' }, 0, 1); 1 },
        'a name that the array may change is not');
};

# A host with other plugins, in a perl of its own: prints what is declared by us.
my sub declared_beside ($others) {
    my $plugin = PLUGIN;
    return perl_output([], '-e', <<~"END");
        use v5.36;
        require $plugin;
        my \@order = ($others);
        for my \$other (\@order) {
            no strict 'refs';
            my \$class = "Other::\$other->{type}";
            \@{"\${class}::ISA"} = ('PVE::Storage::Plugin');
            *{"\${class}::type"} = sub { \$other->{type} };
            *{"\${class}::plugindata"} =
                sub { return { content => [{ images => 1 }, { images => 1 }] } };
            *{"\${class}::properties"} = \$other->{properties};
            *{"\${class}::options"} = sub { return {} };
            \$class->register() if !\$other->{late};
        }
        $plugin->register();
        PVE::Storage::Plugin->init();
        print join(' ', sort(keys($plugin->properties()->%*)));
        END
}

subtest 'names that another plugin declares are left to it' => sub {
    plan(skip_all => 'the stand-ins have the rule') if is_real_pve();
    my ($all) = declared_beside('');
    like($all, qr/\bdebug\b.*\bencryption\b.*\busername\b/, 'alone, it declares all');
    my ($text, $status) = declared_beside(<<~'END');
        { type => 'aaa', properties => sub {
            return { username => { type => 'string' }, debug => { type => 'boolean' } };
        } },
        { type => 'zzz', properties => sub { return { encryption => { type => 'string' } } } },
        END
    is($status, 0, 'everything loads') or diag($text);
    unlike($text, qr/\b(?:username|debug|encryption)\b/, 'theirs are not ours');
    like($text, qr/\bmgmt_ip\b/, 'the rest is');
};

subtest 'a plugin that dies about its properties does not matter' => sub {
    plan(skip_all => 'the stand-ins have the rule') if is_real_pve();
    my ($text) = perl_output([], '-e', sprintf(<<'END', (PLUGIN) x 2));
use v5.36;
require %s;
my $mine = PVE::Storage::OntapNvmeTcp::Schema::properties(
    { plugins => { other => 'No::Such::Class', ontapnvme => '%s' } }, 'ontapnvme');
print exists($mine->{mgmt_ip}) ? 'declared' : 'lost';
END
    is($text, 'declared', 'ours are declared');
};

subtest 'two plugins that both give way end up with one declaration' => sub {
    plan(skip_all => 'the stand-ins have the rule') if is_real_pve();
    # Several times: the order in which the schema asks is the order of a hash.
    for (1 .. 5) {
        my ($text, $status) = declared_beside(<<~'END');
            { type => 'polite', properties => do {
                my ($asking, $answer);
                sub {
                    my %mine = (debug => { type => 'integer' }, polite => { type => 'string' });
                    return {%mine} if $asking;
                    return {%$answer} if $answer;
                    $asking = 1;
                    my $plugins = PVE::Storage::Plugin->private()->{plugins};
                    delete(@mine{ keys($plugins->{ontapnvme}->properties()->%*) });
                    $asking = 0;
                    $answer = {%mine};
                    return {%mine};
                }
            } },
            END
        is($status, 0, 'everything loads') or diag($text);
    }
};

subtest 'what an isolated plugin keeps to itself is declared all the same' => sub {
    my $registry = {
        propertyList => { shared => {} },
        plugins => { isolated => 'Isolated::Plugin', exposing => 'Exposing::Plugin' },
        plugindata => {
            isolated => { 'isolate-properties' => 1 },
            exposing => { 'isolate-properties' => 1, 'expose-properties' => { username => 1 } },
        },
    };
    no warnings 'once';
    *Isolated::Plugin::properties = sub { return { debug => {} } };
    *Exposing::Plugin::properties = sub { return { username => {}, vserver => {} } };
    my $mine = PVE::Storage::OntapNvmeTcp::Schema::properties($registry, 'ontapnvme');
    ok($mine->{debug}, 'not exposed: ours');
    ok(!$mine->{username}, 'exposed: theirs');
    ok($mine->{vserver}, 'not among the exposed: ours');
};

done_testing();
