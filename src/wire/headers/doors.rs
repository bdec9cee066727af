//! The readings of one header by name, over all fields of a message.

use super::{
    AccessNetwork, AuthenticationInfo, Authorization, Challenge, ChargingAddresses, ChargingVector,
    CpmId, Date, Disposition, FeatureSet, MediaType, Number, Reason, RestorationInfo, RetryAfter,
    SecurityMechanism, ServedUser, SessionExpires, Timestamp, Token, VisitedNetwork, Warning,
    cursor::Read,
    value::{list, one, separated},
};
use crate::{
    drive::Reject,
    wire::{HeaderName, Message},
};

impl<'a> Message<'a> {
    fn only<T: Read<'a>>(&self, name: HeaderName) -> Result<Option<T>, Reject> {
        self.single(name)?.map(one).transpose()
    }

    fn every<T: Read<'a> + 'a>(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<T, Reject>> + use<'_, 'a, T> {
        self.headers(name).flat_map(list)
    }

    /// [RFC 3261 20.7] Authorization.
    ///
    /// # Errors
    /// As [`Authorization::parse`]; [`defect::REPEATED`](crate::wire::defect::REPEATED) where there are
    /// several.
    pub fn authorization(&self) -> Result<Option<Authorization<'a>>, Reject> {
        self.only(HeaderName::Authorization)
    }

    /// [RFC 3261 20.28] Every Proxy-Authorization in order: each may be for another proxy.
    pub fn proxy_authorizations(
        &self,
    ) -> impl Iterator<Item = Result<Authorization<'a>, Reject>> + use<'_, 'a> {
        self.headers(HeaderName::ProxyAuthorization).map(one)
    }

    /// [RFC 3261 20.27] [RFC 3261 20.44] Every challenge of the fields of that name (WWW-Authenticate,
    /// Proxy-Authenticate), in order.
    pub fn challenges(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<Challenge<'a>, Reject>> + use<'_, 'a> {
        self.headers(name).map(one)
    }

    /// [RFC 3261 20.6] Authentication-Info.
    ///
    /// # Errors
    /// [`defect::AUTHENTICATION_INFO`](crate::wire::defect::AUTHENTICATION_INFO),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn authentication_info(&self) -> Result<Option<AuthenticationInfo<'a>>, Reject> {
        self.only(HeaderName::AuthenticationInfo)
    }

    /// [RFC 3329 2.2] Every security mechanism of the fields of that name (Security-Client, Security-Server,
    /// Security-Verify), over all fields and lists, in order.
    pub fn security(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<SecurityMechanism<'a>, Reject>> + use<'_, 'a> {
        self.every(name)
    }

    /// [RFC 7315 4.6] P-Charging-Vector.
    ///
    /// # Errors
    /// [`defect::CHARGING_VECTOR`](crate::wire::defect::CHARGING_VECTOR),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn charging_vector(&self) -> Result<Option<ChargingVector<'a>>, Reject> {
        self.only(HeaderName::PChargingVector)
    }

    /// [RFC 7315 4.5] P-Charging-Function-Addresses.
    ///
    /// # Errors
    /// [`defect::CHARGING_ADDRESSES`](crate::wire::defect::CHARGING_ADDRESSES),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn charging_addresses(&self) -> Result<Option<ChargingAddresses<'a>>, Reject> {
        self.only(HeaderName::PChargingFunctionAddresses)
    }

    /// [RFC 7315 4.4] Every access network, over all fields and lists, in order. Whether the network or the
    /// user agent says so is [`AccessNetwork::network_provided`].
    pub fn access_network_info(
        &self,
    ) -> impl Iterator<Item = Result<AccessNetwork<'a>, Reject>> + use<'_, 'a> {
        self.every(HeaderName::PAccessNetworkInfo)
    }

    /// [RFC 7315 4.3] Every visited network, over all fields and lists, in order.
    pub fn visited_networks(
        &self,
    ) -> impl Iterator<Item = Result<VisitedNetwork<'a>, Reject>> + use<'_, 'a> {
        self.every(HeaderName::PVisitedNetworkId)
    }

    /// [RFC 5502 6] P-Served-User.
    ///
    /// # Errors
    /// What is wrong with the address, [`defect::SERVED_USER`](crate::wire::defect::SERVED_USER),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn served_user(&self) -> Result<Option<ServedUser<'a>>, Reject> {
        self.only(HeaderName::PServedUser)
    }

    /// [RFC 3326 2] Every reason, over all fields and lists, in order.
    pub fn reasons(&self) -> impl Iterator<Item = Result<Reason<'a>, Reject>> + use<'_, 'a> {
        self.every(HeaderName::Reason)
    }

    /// [RFC 3261 20.33] Retry-After with its comment and duration.
    ///
    /// # Errors
    /// [`defect::RETRY_AFTER`](crate::wire::defect::RETRY_AFTER),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn retry_after(&self) -> Result<Option<RetryAfter<'a>>, Reject> {
        self.only(HeaderName::RetryAfter)
    }

    /// [RFC 3261 20.43] Every warning, over all fields and lists, in order.
    pub fn warnings(&self) -> impl Iterator<Item = Result<Warning<'a>, Reject>> + use<'_, 'a> {
        self.every(HeaderName::Warning)
    }

    /// [RFC 3261 20.23] Min-Expires in seconds; one too large stands as `u32::MAX`.
    ///
    /// # Errors
    /// [`defect::NUMBER`](crate::wire::defect::NUMBER), [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn min_expires(&self) -> Result<Option<u32>, Reject> {
        let number: Option<Number> = self.only(HeaderName::MinExpires)?;
        Ok(number.map(|Number(seconds)| seconds))
    }

    /// [RFC 3261 7.3.1] Every token of the fields of that name (Supported, Require, Proxy-Require,
    /// Unsupported, Allow, Allow-Events, Content-Encoding, Request-Disposition), over all fields and lists,
    /// in order.
    pub fn tokens(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<Token<'a>, Reject>> + use<'_, 'a> {
        self.every(name)
    }

    /// [RFC 3323 4.2] Every privacy value, over all fields, in order.
    pub fn privacy(&self) -> impl Iterator<Item = Result<Token<'a>, Reject>> + use<'_, 'a> {
        self.headers(HeaderName::Privacy)
            .flat_map(|header| separated(header, b';'))
    }

    /// [RFC 3903 11.3.1] SIP-ETag: the entity tag of a publication.
    ///
    /// # Errors
    /// [`defect::NO_TOKEN`](crate::wire::defect::NO_TOKEN),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn sip_etag(&self) -> Result<Option<Token<'a>>, Reject> {
        self.only(HeaderName::SipEtag)
    }

    /// [RFC 3903 11.3.2] SIP-If-Match: the entity tag that a publication has.
    ///
    /// # Errors
    /// [`defect::NO_TOKEN`](crate::wire::defect::NO_TOKEN),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn sip_if_match(&self) -> Result<Option<Token<'a>>, Reject> {
        self.only(HeaderName::SipIfMatch)
    }

    /// [RFC 3261 20.15] Content-Type.
    ///
    /// # Errors
    /// [`defect::MEDIA_TYPE`](crate::wire::defect::MEDIA_TYPE),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE) for two `charset` or `boundary`,
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn content_type(&self) -> Result<Option<MediaType<'a>>, Reject> {
        self.only(HeaderName::ContentType)
    }

    /// [RFC 3261 20.1] Every media range of Accept, over all fields and lists, in order. One empty field
    /// takes nothing; no field means `application/sdp` to an INVITE.
    pub fn accept(&self) -> impl Iterator<Item = Result<MediaType<'a>, Reject>> + use<'_, 'a> {
        self.every(HeaderName::Accept)
    }

    /// [RFC 3261 20.11] Content-Disposition.
    ///
    /// # Errors
    /// [`defect::DISPOSITION`](crate::wire::defect::DISPOSITION),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn content_disposition(&self) -> Result<Option<Disposition<'a>>, Reject> {
        self.only(HeaderName::ContentDisposition)
    }

    /// [RFC 3261 20.17] Date.
    ///
    /// # Errors
    /// [`defect::DATE`](crate::wire::defect::DATE), [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn date(&self) -> Result<Option<Date>, Reject> {
        self.only(HeaderName::Date)
    }

    /// [RFC 3261 20.38] Timestamp.
    ///
    /// # Errors
    /// [`defect::TIMESTAMP`](crate::wire::defect::TIMESTAMP),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn timestamp(&self) -> Result<Option<Timestamp<'a>>, Reject> {
        self.only(HeaderName::Timestamp)
    }

    /// [RFC 4028 4] Session-Expires.
    ///
    /// # Errors
    /// [`defect::SESSION_EXPIRES`](crate::wire::defect::SESSION_EXPIRES),
    /// [`defect::PARAMETER_TWICE`](crate::wire::defect::PARAMETER_TWICE),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn session_expires(&self) -> Result<Option<SessionExpires<'a>>, Reject> {
        self.only(HeaderName::SessionExpires)
    }

    /// [RFC 4028 5] Min-SE.
    ///
    /// # Errors
    /// [`defect::SESSION_EXPIRES`](crate::wire::defect::SESSION_EXPIRES),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn min_se(&self) -> Result<Option<SessionExpires<'a>>, Reject> {
        self.only(HeaderName::MinSe)
    }

    /// [RFC 3841 9.2] [RFC 6809 4] Every feature set of the fields of that name (Accept-Contact,
    /// Reject-Contact, Feature-Caps), over all fields and lists, in order.
    pub fn features(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<FeatureSet<'a>, Reject>> + use<'_, 'a> {
        self.every(name)
    }

    /// [CP-4] Message-UID.
    ///
    /// # Errors
    /// [`defect::CPM_ID`](crate::wire::defect::CPM_ID), [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn message_uid(&self) -> Result<Option<CpmId<'a>>, Reject> {
        self.only(HeaderName::MessageUid)
    }

    /// [OMA CPM] Conversation-ID.
    ///
    /// # Errors
    /// [`defect::CPM_ID`](crate::wire::defect::CPM_ID), [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn conversation_id(&self) -> Result<Option<CpmId<'a>>, Reject> {
        self.only(HeaderName::ConversationId)
    }

    /// [OMA CPM] Contribution-ID.
    ///
    /// # Errors
    /// [`defect::CPM_ID`](crate::wire::defect::CPM_ID), [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn contribution_id(&self) -> Result<Option<CpmId<'a>>, Reject> {
        self.only(HeaderName::ContributionId)
    }

    /// [TS 24.229 7.2.11] Restoration-Info.
    ///
    /// # Errors
    /// [`defect::RESTORATION_INFO`](crate::wire::defect::RESTORATION_INFO),
    /// [`defect::REPEATED`](crate::wire::defect::REPEATED).
    pub fn restoration_info(&self) -> Result<Option<RestorationInfo<'a>>, Reject> {
        self.only(HeaderName::RestorationInfo)
    }
}
