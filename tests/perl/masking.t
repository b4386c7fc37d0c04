#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use MIME::Base64 qw(encode_base64);
use Test::More;

use HookTest qw(put_file);
use PVE::Storage::OntapNvmeTcp::Masking qw(masked);

my %planted = (
    password => 'pW-kestrel+7731.Zq',
    dhchap => 'DHHC-1:00:aG9zdC1zZWNyZXQtb3NwcmV5LTQ0MTI5OTAwMTEyMg==:',
    psk => 'NVMeTLSkey-1:01:cHNrLWhhcnJpZXItNTUxMjA5MzMxMTc3NjY4ODEyMzQ=:',
    login => encode_base64('admin:pW-kestrel+7731.Zq', ''),
);
put_file('storage/tank.pw', "$planted{password}\n");
my $sections = { tank => { username => 'admin' } };

my $text = join("\n", 'before', map({ "a line with $planted{$_} in it" } sort(keys(%planted))),
    'password = "of-somebody-else"', 'Authorization: Basic Zm9vOmJhcg==', 'after');
my $masked = masked($text, $sections);
unlike($masked, qr/\Q$planted{$_}\E/, "no $_") for sort(keys(%planted));
unlike($masked, qr/of-somebody-else|Zm9vOmJhcg/, 'nor what only looks like a secret');
unlike($masked, qr/aG9zdC1z|cHNrLWhh/, 'nor the half of one');
is(scalar(split(/\n/, $masked)), scalar(split(/\n/, $text)), 'all lines are there');
like($masked, qr/\Abefore\n.*\nafter\z/s, 'and what is no secret');

is(masked("there is no password\n==== next\n", $sections), "there is no password\n==== next\n",
    'what the next line begins with is no value');

put_file('storage/tank.pw', "a\n");
is(masked('a banana', $sections), 'a banana', 'a password of one letter takes no text apart');

done_testing();
