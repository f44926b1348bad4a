# SPDX-License-Identifier: BSD-2-Clause
<#
.SYNOPSIS
Logs a Windows host in to a target of Countersign, now and at every start.

.DESCRIPTION
To be run as administrator, in Windows PowerShell 5.1 or later. The names are those of ../demo.conf;
secrets are asked for. A secret that Windows takes has 12 to 16 characters.

.EXAMPLE
.\connect.ps1 -Portal 192.0.2.10
Lists the targets that there are, and the name of this host for the server's row of credentials.

.EXAMPLE
.\connect.ps1 -Portal 192.0.2.10 -Target iqn.2026-11.com.example:demo -Authentication MutualChap
Both sides prove themselves: asks for `secret`, then for `target_secret`. OneWayChap and None are
the other ways.

.EXAMPLE
.\connect.ps1 -Portal 192.0.2.10 -Target iqn.2026-11.com.example:demo -Disconnect
Logs out, and does not log in again at the next start.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Portal,
    [uint16] $Port = 3260,
    [string] $Target,
    [ValidateSet('None', 'OneWayChap', 'MutualChap')] [string] $Authentication = 'MutualChap',
    # `user` of the row of credentials, if it has one; this host's own name otherwise.
    [string] $User,
    # For a server that asks for a proof at discovery, too; with the user and secret of discovery.
    [ValidateSet('None', 'OneWayChap', 'MutualChap')] [string] $DiscoveryAuthentication = 'None',
    [string] $DiscoveryUser,
    # For disks that are reached over several portals, once for each of them: needs the feature
    # Multipath-IO. What is connected already stays; -Disconnect first when a secret has changed.
    [switch] $Multipath,
    [switch] $Disconnect
)
$ErrorActionPreference = 'Stop'

function Read-Secret([string] $Prompt) {
    $secure = Read-Host -Prompt $Prompt -AsSecureString
    $plain = [Net.NetworkCredential]::new('', $secure).Password
    if ($plain.Length -lt 12 -or $plain.Length -gt 16) {
        throw 'Windows takes secrets of 12 to 16 characters only.'
    }
    $plain
}

# The secret by which targets prove themselves to this host. There is one for all targets.
function Set-TargetSecret {
    Set-IscsiChapSecret -ChapSecret (Read-Secret 'Secret that proves the target (target_secret)')
}

# The parameters for CHAP that New-IscsiTargetPortal and Connect-IscsiTarget have in common.
function Get-ChapParameters([string] $Kind, [string] $Name) {
    if ($Kind -eq 'None') {
        return @{}
    }
    $parameters = @{
        AuthenticationType = $Kind.ToUpper()
        ChapUsername = $Name
        ChapSecret = Read-Secret "Secret that proves this host as $Name (secret)"
    }
    if ($Kind -eq 'MutualChap') {
        Set-TargetSecret
    }
    $parameters
}

Set-Service -Name msiscsi -StartupType Automatic
Start-Service -Name msiscsi
$name = (Get-InitiatorPort | Where-Object ConnectionType -eq 'iSCSI' | Select-Object -First 1).NodeAddress
Write-Host "This host is $name."
if (-not $User) { $User = $name }
if (-not $DiscoveryUser) { $DiscoveryUser = $name }

# What there is of an earlier attempt goes first: it would be used as it is, with its old secrets.
$sessions = Get-IscsiSession | Where-Object TargetNodeAddress -eq $Target
if ($Target -and $sessions -and ($Disconnect -or -not $Multipath)) {
    $sessions | Where-Object IsPersistent | Unregister-IscsiSession
    Disconnect-IscsiTarget -NodeAddress $Target -Confirm:$false
}
if ($Disconnect) {
    return
}

Get-IscsiTargetPortal | Where-Object {
    $_.TargetPortalAddress -eq $Portal -and $_.TargetPortalPortNumber -eq $Port
} | Remove-IscsiTargetPortal -Confirm:$false
$chap = Get-ChapParameters $DiscoveryAuthentication $DiscoveryUser
New-IscsiTargetPortal -TargetPortalAddress $Portal -TargetPortalPortNumber $Port @chap | Out-Null

if (-not $Target) {
    Get-IscsiTarget | Format-Table -AutoSize
    return
}
$chap = Get-ChapParameters $Authentication $User
Connect-IscsiTarget -NodeAddress $Target -TargetPortalAddress $Portal -TargetPortalPortNumber $Port `
    -IsPersistent $true -IsMultipathEnabled $Multipath.IsPresent @chap |
    Format-List TargetNodeAddress, AuthenticationType, IsConnected, IsPersistent

$disks = Get-IscsiSession | Where-Object TargetNodeAddress -eq $Target |
    Get-Disk -ErrorAction SilentlyContinue
if ($disks) {
    $disks | Format-Table Number, FriendlyName, UniqueId, Size, OperationalStatus
    Write-Host @'
A new disk is taken into use by
    Set-Disk -Number N -IsOffline $false
    Initialize-Disk -Number N; New-Partition -DiskNumber N -UseMaximumSize -AssignDriveLetter | Format-Volume
'@
} else {
    Get-PnpDevice -Class TapeDrive, MediumChanger -PresentOnly -ErrorAction SilentlyContinue |
        Format-Table Class, FriendlyName, Status
    Write-Host 'The driver of a tape drive must be from Microsoft: iscsicpl.txt, step 8.'
}
