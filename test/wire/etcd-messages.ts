import { messageTypes, type MessageType } from './protobuf.js';

/** The messages of etcd's API (proto files of etcd 3.4 to 3.6), as `name:type=number`. */
export const messages = messageTypes({
  ResponseHeader: 'cluster_id:uint64=1 member_id:uint64=2 revision:int64=3 raft_term:uint64=4',
  KeyValue: 'key:bytes=1 create_revision:int64=2 mod_revision:int64=3 version:int64=4 value:bytes=5 lease:int64=6',
  RangeRequest:
    'key:bytes=1 range_end:bytes=2 limit:int64=3 revision:int64=4 sort_order:enum=5 sort_target:enum=6 ' +
    'serializable:bool=7 keys_only:bool=8 count_only:bool=9 min_mod_revision:int64=10 max_mod_revision:int64=11 ' +
    'min_create_revision:int64=12 max_create_revision:int64=13',
  RangeResponse: 'header:ResponseHeader=1 kvs:KeyValue[]=2 more:bool=3 count:int64=4',
  PutRequest: 'key:bytes=1 value:bytes=2 lease:int64=3 prev_kv:bool=4 ignore_value:bool=5 ignore_lease:bool=6',
  PutResponse: 'header:ResponseHeader=1 prev_kv:KeyValue=2',
  DeleteRangeRequest: 'key:bytes=1 range_end:bytes=2 prev_kv:bool=3',
  DeleteRangeResponse: 'header:ResponseHeader=1 deleted:int64=2 prev_kvs:KeyValue[]=3',
  RequestOp:
    'request_range:RangeRequest=1 request_put:PutRequest=2 request_delete_range:DeleteRangeRequest=3 ' +
    'request_txn:TxnRequest=4',
  ResponseOp:
    'response_range:RangeResponse=1 response_put:PutResponse=2 response_delete_range:DeleteRangeResponse=3 ' +
    'response_txn:TxnResponse=4',
  Compare:
    'result:enum=1 target:enum=2 key:bytes=3 version:int64=4 create_revision:int64=5 mod_revision:int64=6 ' +
    'value:bytes=7 lease:int64=8 range_end:bytes=64',
  TxnRequest: 'compare:Compare[]=1 success:RequestOp[]=2 failure:RequestOp[]=3',
  TxnResponse: 'header:ResponseHeader=1 succeeded:bool=2 responses:ResponseOp[]=3',
  CompactionRequest: 'revision:int64=1 physical:bool=2',
  CompactionResponse: 'header:ResponseHeader=1',
  LeaseGrantRequest: 'TTL:int64=1 ID:int64=2',
  LeaseGrantResponse: 'header:ResponseHeader=1 ID:int64=2 TTL:int64=3 error:string=4',
  LeaseRevokeRequest: 'ID:int64=1',
  LeaseRevokeResponse: 'header:ResponseHeader=1',
  LeaseKeepAliveRequest: 'ID:int64=1',
  LeaseKeepAliveResponse: 'header:ResponseHeader=1 ID:int64=2 TTL:int64=3',
  LeaseTimeToLiveRequest: 'ID:int64=1 keys:bool=2',
  LeaseTimeToLiveResponse: 'header:ResponseHeader=1 ID:int64=2 TTL:int64=3 grantedTTL:int64=4 keys:bytes[]=5',
  LeaseLeasesRequest: '',
  LeaseStatus: 'ID:int64=1',
  LeaseLeasesResponse: 'header:ResponseHeader=1 leases:LeaseStatus[]=2',
  Member: 'ID:uint64=1 name:string=2 peerURLs:string[]=3 clientURLs:string[]=4 isLearner:bool=5',
  MemberListRequest: 'linearizable:bool=1',
  MemberListResponse: 'header:ResponseHeader=1 members:Member[]=2',
  StatusRequest: '',
  StatusResponse:
    'header:ResponseHeader=1 version:string=2 dbSize:int64=3 leader:uint64=4 raftIndex:uint64=5 raftTerm:uint64=6 ' +
    'raftAppliedIndex:uint64=7 errors:string[]=8 dbSizeInUse:int64=9 isLearner:bool=10 storageVersion:string=11 ' +
    'dbSizeQuota:int64=12 downgradeInfo:DowngradeInfo=13',
  DowngradeInfo: 'enabled:bool=1 targetVersion:string=2',
  AlarmRequest: 'action:enum=1 memberID:uint64=2 alarm:enum=3',
  AlarmMember: 'memberID:uint64=1 alarm:enum=2',
  AlarmResponse: 'header:ResponseHeader=1 alarms:AlarmMember[]=2',
  HashKVRequest: 'revision:int64=1',
  HashKVResponse: 'header:ResponseHeader=1 hash:uint32=2 compact_revision:int64=3 hash_revision:int64=4',
  MoveLeaderRequest: 'targetID:uint64=1',
  MoveLeaderResponse: 'header:ResponseHeader=1',
});

/** A method of etcd's API: its path on the wire and what it carries. */
export interface Method {
  readonly path: string;
  readonly request: MessageType;
  readonly response: MessageType;
}

const method = (path: string, request: MessageType, response: MessageType): Method => ({
  path: `/etcdserverpb.${path}`,
  request,
  response,
});

export const methods = {
  range: method('KV/Range', messages.RangeRequest, messages.RangeResponse),
  put: method('KV/Put', messages.PutRequest, messages.PutResponse),
  deleteRange: method('KV/DeleteRange', messages.DeleteRangeRequest, messages.DeleteRangeResponse),
  txn: method('KV/Txn', messages.TxnRequest, messages.TxnResponse),
  compact: method('KV/Compact', messages.CompactionRequest, messages.CompactionResponse),
  leaseGrant: method('Lease/LeaseGrant', messages.LeaseGrantRequest, messages.LeaseGrantResponse),
  leaseRevoke: method('Lease/LeaseRevoke', messages.LeaseRevokeRequest, messages.LeaseRevokeResponse),
  leaseKeepAlive: method('Lease/LeaseKeepAlive', messages.LeaseKeepAliveRequest, messages.LeaseKeepAliveResponse),
  leaseTimeToLive: method('Lease/LeaseTimeToLive', messages.LeaseTimeToLiveRequest, messages.LeaseTimeToLiveResponse),
  leaseLeases: method('Lease/LeaseLeases', messages.LeaseLeasesRequest, messages.LeaseLeasesResponse),
  memberList: method('Cluster/MemberList', messages.MemberListRequest, messages.MemberListResponse),
  status: method('Maintenance/Status', messages.StatusRequest, messages.StatusResponse),
  alarm: method('Maintenance/Alarm', messages.AlarmRequest, messages.AlarmResponse),
  hashKv: method('Maintenance/HashKV', messages.HashKVRequest, messages.HashKVResponse),
  moveLeader: method('Maintenance/MoveLeader', messages.MoveLeaderRequest, messages.MoveLeaderResponse),
} as const;
