/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations that are implemented; their tables are in aws.c. */
#ifndef MGMT_AWS_OPERATIONS_H
#define MGMT_AWS_OPERATIONS_H

#include "mgmt/aws_request.h"

/* aws_chap.c */
void aws_update_chap_credentials(struct aws_request *q);
void aws_describe_chap_credentials(struct aws_request *q);
void aws_delete_chap_credentials(struct aws_request *q);

/* aws_gateway.c */
void aws_list_gateways(struct aws_request *q);
void aws_describe_gateway_information(struct aws_request *q);
void aws_activate_gateway(struct aws_request *q);
void aws_update_gateway_information(struct aws_request *q);
void aws_shutdown_gateway(struct aws_request *q);
void aws_start_gateway(struct aws_request *q);

/* aws_vtl.c */
void aws_describe_vtl_devices(struct aws_request *q);
void aws_update_vtl_device_type(struct aws_request *q);

/* aws_tape.c */
void aws_describe_tapes(struct aws_request *q);
void aws_list_tapes(struct aws_request *q);
void aws_describe_tape_archives(struct aws_request *q);
void aws_describe_tape_recovery_points(struct aws_request *q);
void aws_retrieve_tape_recovery_point(struct aws_request *q);
void aws_list_tape_pools(struct aws_request *q);

/* aws_tape_change.c */
void aws_create_tapes(struct aws_request *q);
void aws_create_tape_with_barcode(struct aws_request *q);
void aws_delete_tape(struct aws_request *q);
void aws_delete_tape_archive(struct aws_request *q);
void aws_retrieve_tape_archive(struct aws_request *q);
void aws_cancel_archival(struct aws_request *q);
void aws_cancel_retrieval(struct aws_request *q);
void aws_assign_tape_pool(struct aws_request *q);

/* aws_volume.c */
void aws_list_volumes(struct aws_request *q);
void aws_describe_stored_volumes(struct aws_request *q);
void aws_describe_cached_volumes(struct aws_request *q);
void aws_list_volume_initiators(struct aws_request *q);

/* aws_volume_create.c */
void aws_create_stored_volume(struct aws_request *q);
void aws_create_cached_volume(struct aws_request *q);

/* aws_volume_change.c */
void aws_attach_volume(struct aws_request *q);
void aws_detach_volume(struct aws_request *q);
void aws_delete_volume(struct aws_request *q);

/* aws_disk.c */
void aws_list_local_disks(struct aws_request *q);
void aws_add_cache(struct aws_request *q);
void aws_add_upload_buffer(struct aws_request *q);
void aws_add_working_storage(struct aws_request *q);
void aws_describe_cache(struct aws_request *q);
void aws_describe_upload_buffer(struct aws_request *q);
void aws_describe_working_storage(struct aws_request *q);

/* aws_tag.c */
void aws_add_tags(struct aws_request *q);
void aws_remove_tags(struct aws_request *q);
void aws_list_tags(struct aws_request *q);

#endif
