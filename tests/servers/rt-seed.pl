#!/usr/bin/perl
# Fixtures for a throw-away Request Tracker used by integration tests: the people and fields of seed.rb.
#   rt-seed.pl FIXTURES.json        (RT_SITE_CONFIG must point at its private configuration)
# Every password below is a public test value: loopback use only.
use strict;
use warnings;
use utf8;
use RT -init;
use JSON;

my $file = shift or die "usage: $0 FIXTURES.json\n";
my $system = RT->SystemUser;
my %out = (users => {}, groups => {}, queues => {}, custom_fields => {});
my $PASSWORD = 'contrasenya-de-prova';

sub ok { my ($what, $id, $message) = @_; die "$what: $message\n" unless $id; return $id }

# --- users -------------------------------------------------------------------
my %user;
for (['oac', 'Oficina Atenció Ciutadana'], ['whatsapp-bot', 'Robot WhatsApp'], ['alcalde', 'Jordi Alcalde'],
    ['regidor.centre', 'Marc Regidor Centre'], ['regidora.platja', 'Laia Regidora Platja'],
    ['regidor.muntanya', 'Pau Regidor Muntanya'], ['operari.brigada', 'Nil Operari Brigada']) {
    my ($login, $name) = @$_;
    my $user = $user{$login} = RT::User->new($system);
    ok($login, $user->Create(Name => $login, RealName => $name, Password => $PASSWORD, Privileged => 1,
        EmailAddress => ($login =~ tr/./-/r) . '@example.invalid'));
}
my $root = $user{root} = RT::User->new($system);
$root->Load('root');
$root->SetPassword($PASSWORD);
for my $login (sort keys %user) {
    my $token = RT::AuthToken->new($system);
    my ($id, $message, $text) = $token->Create(Owner => $user{$login}->Id, Description => 'tests');
    ok("token of $login", $id, $message);
    $out{users}{$login} = { id => $user{$login}->Id, token => $text, password => $PASSWORD };
}

# --- groups ------------------------------------------------------------------
sub group {
    my ($name, @members) = @_;
    my $group = RT::Group->new($system);
    $out{groups}{$name} = ok("group $name", $group->CreateUserDefinedGroup(Name => $name));
    ok("member of $name", $group->AddMember($user{$_}->PrincipalId)) for @members;
    return $group->PrincipalObj;
}
my $staff = group('Personal municipal', 'oac');
my $elected = group('Càrrec electe', 'alcalde', 'regidor.centre', 'regidora.platja', 'regidor.muntanya');
my $works = group('Brigada municipal', 'operari.brigada');

# --- queues: one for each kind of request; the bot has no right in the last one -----------------------------
my %queue;
for (['Alcaldia', 'Missatges a l’alcalde'], ['Regidories', 'Missatges a les regidories'],
    ['Incidències', 'Incidències a la via pública'], ['Bústia ciutadana', 'Queixes, suggeriments i consultes'],
    ['Obres i serveis', 'Feina interna']) {
    my ($name, $description) = @$_;
    my $queue = $queue{$name} = RT::Queue->new($system);
    $out{queues}{$name} = ok("queue $name", $queue->Create(Name => $name, Description => $description));
}

# --- custom fields of all queues ---------------------------------------------
for (['Canal', ['WhatsApp', 'Presencial', 'Telèfon', 'Web']], ['Referència WhatsApp'], ['Telèfon (pseudònim)'],
    ['Latitud', '^(-?\d{1,2}(\.\d+)?)?$'], ['Longitud', '^(-?\d{1,3}(\.\d+)?)?$'], ['Adreça'],
    ['Barri', ['Centre', 'Platja', 'Muntanya']], ['Categoria', ['Centre', 'Platja', 'Muntanya', 'Via pública']]) {
    my ($name, $more) = @$_;
    my $field = RT::CustomField->new($system);
    my %how = ref $more ? (Type => 'SelectSingle') : (Type => 'FreeformSingle', $more ? (Pattern => $more) : ());
    $out{custom_fields}{$name} =
        ok("field $name", $field->Create(Name => $name, LookupType => 'RT::Queue-RT::Ticket', Queue => 0, %how));
    my $n = 0;
    for my $value (ref $more ? @$more : ()) { ok("value $value", $field->AddValue(Name => $value, SortOrder => $n++)) }
}

# --- rights ------------------------------------------------------------------
sub grant { my ($who, $object, @rights) = @_; ok("right $_", $who->GrantRight(Right => $_, Object => $object)) for @rights }

my @read = qw(SeeQueue ShowTicket ShowTicketComments SeeCustomField);
my @bot = (@read, qw(CreateTicket CommentOnTicket ModifyTicket ModifyCustomField));
my @all = (@bot, qw(ReplyToTicket OwnTicket TakeTicket StealTicket ReassignTicket DeleteTicket Watch WatchAsAdminCc
    ShowOutgoingEmail));
for my $name (grep { $_ ne 'Obres i serveis' } sort keys %queue) {
    grant($user{'whatsapp-bot'}->PrincipalObj, $queue{$name}, @bot);
    grant($staff, $queue{$name}, @all);
    grant($elected, $queue{$name}, grep { $_ ne 'DeleteTicket' } @all);
    # the works team sees no internal comments, and writes none
    grant($works, $queue{$name}, qw(SeeQueue ShowTicket SeeCustomField CreateTicket ReplyToTicket OwnTicket));
}
grant($user{'whatsapp-bot'}->PrincipalObj, $RT::System, 'SeeCustomField'); # to see which values a field offers
grant($staff, $queue{'Obres i serveis'}, @all);
grant($works, $queue{'Obres i serveis'}, qw(SeeQueue ShowTicket ReplyToTicket OwnTicket));

# --- a ticket in each queue, so that what can only be seen on a ticket can be seen --------------------------
my $oac = RT::CurrentUser->new;
$oac->Load('oac');
for my $name (sort keys %queue) {
    my $ticket = RT::Ticket->new($oac);
    my ($id, undef, $message) = $ticket->Create(Queue => $name, Subject => 'Prova de la bústia');
    ok("ticket in $name", $id, $message);
}

open my $to, '>', $file or die "$file: $!\n";
print $to JSON->new->utf8->canonical->pretty->encode(\%out);
close $to or die "$file: $!\n";
