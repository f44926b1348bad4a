# SPDX-License-Identifier: BSD-2-Clause
<#
.SYNOPSIS
Sets the values of countersign.reg, and finds for itself where Windows keeps them.

.DESCRIPTION
To be run as administrator; Windows takes the values at its next start. Sizes that are larger
already stay as they are. Take the disks offline before the restart.
#>
[CmdletBinding(SupportsShouldProcess)]
param()
$ErrorActionPreference = 'Stop'

$class = 'HKLM:\SYSTEM\CurrentControlSet\Control\Class\{4D36E97B-E325-11CE-BFC1-08002BE10318}'
$initiator = Get-ChildItem -Path $class -ErrorAction SilentlyContinue | Where-Object {
    $_.PSChildName -match '^\d{4}$' -and $_.GetValue('DriverDesc') -eq 'Microsoft iSCSI Initiator'
} | Select-Object -First 1
if (-not $initiator) {
    throw "The Microsoft iSCSI initiator is not below $class."
}

function Set-Number([string] $Path, [string] $Name, [int] $Value, [switch] $AtLeast) {
    $old = (Get-ItemProperty -Path $Path).$Name
    if ($AtLeast -and $old -ge $Value) {
        Write-Host "$Name stays $old"
        return
    }
    if ($PSCmdlet.ShouldProcess("$Path\$Name", "set $Value")) {
        New-ItemProperty -Path $Path -Name $Name -Value $Value -PropertyType DWord -Force | Out-Null
        Write-Host "${Name}: $old -> $Value"
    }
}

$parameters = Join-Path $initiator.PSPath 'Parameters'
Set-Number $parameters MaxRequestHoldTime 600
Set-Number $parameters FirstBurstLength 262144 -AtLeast
Set-Number $parameters MaxBurstLength 1048576 -AtLeast
Set-Number $parameters MaxRecvDataSegmentLength 262144 -AtLeast
Set-Number 'HKLM:\SYSTEM\CurrentControlSet\Services\Disk' TimeOutValue 600
